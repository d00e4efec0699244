import { beforeEach, describe, expect, it, vi } from 'vitest';

beforeEach(() => {
  vi.stubGlobal('document', { documentElement: { dataset: {} } });
});

const placedBy = async (...given: Parameters<(typeof import('./form'))['placed']>) => (await import('./form')).placed(...given);

describe('what is wrong', () => {
  it('stands at its field, and the head says nothing more', async () => {
    const trouble = { fields: [{ field: 'newPassword', message: 'Is short.' }], sentence: 'Fields do not fit.', retryAt: null };
    expect(await placedBy(trouble, ['currentPassword', 'newPassword'])).toEqual([{ newPassword: 'Is short.' }, '']);
  });

  it('stands at the field that has what is named', async () => {
    const trouble = { fields: [{ field: 'target.tags', message: 'Is empty.' }], sentence: '', retryAt: null };
    expect(await placedBy(trouble, ['target', 'tag'])).toEqual([{ target: 'Is empty.' }, '']);
  });

  it('is not lost when the form has no such field', async () => {
    const trouble = { fields: [{ field: 'token', message: 'Is spent.' }, { field: 'login', message: 'Is taken.' }], sentence: 'Fields do not fit.', retryAt: null };
    expect(await placedBy(trouble, ['login'])).toEqual([{ login: 'Is taken.' }, 'Fields do not fit. token: Is spent.']);
  });

  it('without fields stands in the head; two problems of a field are both told', async () => {
    expect(await placedBy({ fields: [], sentence: 'Wrong.', retryAt: null }, ['login'])).toEqual([{}, 'Wrong.']);
    const both = [{ field: 'login', message: 'Is long.' }, { field: 'login', message: 'Has a space.' }];
    expect(await placedBy({ fields: both, sentence: '', retryAt: null }, ['login'])).toEqual([{ login: 'Is long. Has a space.' }, '']);
  });
});
