/** The hub's time as the page knows it: what expiry is judged by. The browser's own clock may be wrong by years. */

/** `wall`: Date.now(). `mono`: a clock that nobody sets. Both in milliseconds. */
export type Now = { readonly wall: number; readonly mono: number };

export class HubClock {
  private floor: number;
  private anchor: { readonly hub: number; readonly mono: number } | null = null;

  /** `floor`: the highest hub time of the journal. */
  constructor(floor: number) {
    this.floor = floor;
  }

  /** Whether expiry may be judged: the hub has told its time since this page started. */
  get anchored(): boolean {
    return this.anchor !== null;
  }

  now(at: Now): number {
    const now = this.anchor === null ? at.wall : this.anchor.hub + (at.mono - this.anchor.mono);
    return Math.max(this.floor, now);
  }

  /** By what the expiry of a signing key is judged: a wall clock that runs ahead must not lock out a hub that is known. */
  forKeyExpiry(at: Now): number {
    return this.anchor === null && this.floor > 0 ? this.floor : this.now(at);
  }

  /** A fresh answer to our birth. Where it lies behind us, our time stands still until it caught up. */
  adoptWelcome(hub: number, at: Now): void {
    if (this.anchor !== null) this.floor = this.now(at);
    this.floor = Math.max(this.floor, hub);
    this.anchor = { hub, mono: at.mono };
  }

  /** Nobody knows how much time has passed since the hub told it. It has not gone back. */
  forget(at: Now): void {
    if (this.anchor !== null) this.floor = this.now(at);
    this.anchor = null;
  }

  /** A receipt may be late, or repeated: it can only move the time forward. */
  adoptReceipt(hub: number, at: Now): void {
    if (this.anchor === null || hub <= this.now(at)) return;
    this.floor = hub;
    this.anchor = { hub, mono: at.mono };
  }
}
