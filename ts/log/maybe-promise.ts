/** A value at once when memory could serve it, a promise when the disk is needed. Test with `isPromise`. */
export type MaybePromise<T> = T | Promise<T>

export function isPromise<T>(value: MaybePromise<T>): value is Promise<T> {
  return value instanceof Promise
}
