/** Passes a line on at most once in so many milliseconds, the first one only after as many: short work shows none. */
export function nowAndThen(
  show: (line: string) => void,
  ms: number,
  now: () => number = Date.now,
): (line: string) => void {
  let last = now();
  return (line) => {
    if (now() - last < ms) return;
    last = now();
    show(line);
  };
}
