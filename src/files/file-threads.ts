/**
 * A file system that hangs holds the thread that asks it for ever, and Node has four of them for everything. So two at most ask
 * on behalf of settings: what comes later waits here.
 */
const MOST = 2;
const queue: (() => void)[] = [];
let taken = 0;

/**
 * Runs `work` on one of the two threads, and gives its result.
 *
 * @param late the error when there is no result within `ms`; work that has not begun by then never begins
 */
export function onFileThread<T>(work: () => Promise<T>, ms: number, late: () => Error): Promise<T> {
  return new Promise((resolve, reject) => {
    const begin = () => {
      taken += 1;
      void work()
        .then(resolve, reject)
        .finally(() => {
          clearTimeout(timer);
          taken -= 1;
          queue.shift()?.();
        });
    };
    const timer = setTimeout(() => {
      const place = queue.indexOf(begin);
      if (place >= 0) queue.splice(place, 1);
      reject(late());
    }, ms);
    if (taken < MOST) begin();
    else queue.push(begin);
  });
}
