import icon from './mark.svg';

/** Sign and name of the product. */
export function Brand() {
  return (
    <span class="brand">
      <img src={icon} alt="" width="32" height="32" />
      <span>Floorhub</span>
    </span>
  );
}
