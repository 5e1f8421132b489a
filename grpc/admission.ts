/** Admission of connections: limits in all, for one address, and for peers without an authenticated call. */

export interface AdmissionLimits {
  /** Connections at a time. */
  connections: number;
  connectionsPerAddress: number;
  /** Connections whose peers have authenticated nothing: the oldest one goes when another one comes. */
  strangers: number;
  strangersPerAddress: number;
  /** New connections of an address: so many at once, and so many a second; one that authenticates does not count. */
  newBurst: number;
  newPerSecond: number;
}

export const ADMISSION_LIMITS: Readonly<AdmissionLimits> = {
  connections: 1_000,
  connectionsPerAddress: 800,
  strangers: 256,
  strangersPerAddress: 128,
  newBurst: 100,
  newPerSecond: 50,
};

export interface Admitted {
  /** The connection has authenticated a call. */
  authenticated(): void;
  /** The connection has ended. May be called again. */
  ended(): void;
}

/** Addresses that are kept without a connection, for their budget. */
const REMEMBERED_ADDRESSES = 1_000;

interface Address {
  connections: number;
  strangers: number;
  tokens: number;
  since: number;
}

interface Stranger {
  address: string;
  /** Frees its place and closes the connection. */
  evict(): void;
}

export class Admission {
  readonly #limits: AdmissionLimits;
  readonly #addresses = new Map<string, Address>();
  /** In the order of their arrival. */
  readonly #strangers = new Set<Stranger>();
  #connections = 0;

  constructor(limits: Partial<AdmissionLimits> = {}) {
    this.#limits = { ...ADMISSION_LIMITS, ...limits };
  }

  get connections(): number {
    return this.#connections;
  }

  /**
   * Admits a connection, and closes an unauthenticated one if it needs its slot.
   *
   * @param close ends the connection; called when it has to make room
   * @returns undefined when all slots are taken
   */
  admit(address: string, close: () => void): Admitted | undefined {
    const { limits, from } = { limits: this.#limits, from: this.#addressOf(address) };
    if (!spendToken(from, limits) || from.connections >= limits.connectionsPerAddress) return undefined;
    if (from.strangers >= limits.strangersPerAddress) this.#closeOldest(address);
    else if (this.#strangers.size >= limits.strangers) this.#closeOldest();
    if (this.#connections >= limits.connections && !this.#closeOldest()) return undefined;
    const stranger = {
      address,
      evict: () => {
        admitted.ended(); // at once: the end of a closed connection is noticed later, after others were admitted
        close();
      },
    };
    this.#connections++;
    from.connections++;
    from.strangers++;
    this.#strangers.add(stranger);
    let hasEnded = false;
    const admitted: Admitted = {
      authenticated: () => {
        if (this.#leaveStrangers(stranger)) from.tokens = Math.min(from.tokens + 1, limits.newBurst);
      },
      ended: () => {
        if (hasEnded) return;
        hasEnded = true;
        this.#leaveStrangers(stranger);
        this.#connections--;
        from.connections--;
      },
    };
    return admitted;
  }

  #addressOf(address: string): Address {
    let found = this.#addresses.get(address);
    if (found) return found;
    if (this.#addresses.size >= REMEMBERED_ADDRESSES) this.#forgetAddresses();
    found = { connections: 0, strangers: 0, tokens: this.#limits.newBurst, since: performance.now() };
    this.#addresses.set(address, found);
    return found;
  }

  #forgetAddresses(): void {
    for (const [address, { connections }] of this.#addresses) {
      if (connections === 0) this.#addresses.delete(address);
    }
  }

  /** Closes the stranger that is here longest, of one address or of all. */
  #closeOldest(address?: string): boolean {
    for (const stranger of this.#strangers) {
      if (address !== undefined && stranger.address !== address) continue;
      stranger.evict();
      return true;
    }
    return false;
  }

  #leaveStrangers(stranger: Stranger): boolean {
    if (!this.#strangers.delete(stranger)) return false;
    this.#addresses.get(stranger.address)!.strangers--;
    return true;
  }
}

function spendToken(address: Address, { newBurst, newPerSecond }: AdmissionLimits): boolean {
  const now = performance.now();
  address.tokens = Math.min(newBurst, address.tokens + (now - address.since) / 1_000 * newPerSecond);
  address.since = now;
  if (address.tokens < 1) return false;
  address.tokens--;
  return true;
}
