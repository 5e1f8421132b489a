/** The calls that are being answered: as long as there are any, their connections are needed. */

export interface Calls {
  /** Gives what is to be called once the call is answered. */
  begin(): () => void;
  /** For how long there has been none, in milliseconds. */
  quietMs(): number;
}

export function countCalls(): Calls {
  let underWay = 0;
  let since = performance.now();
  const end = () => {
    underWay--;
    since = performance.now();
  };
  return {
    begin() {
      underWay++;
      return end;
    },
    quietMs: () => underWay > 0 ? 0 : performance.now() - since,
  };
}
