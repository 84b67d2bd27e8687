import { getSystemErrorName } from 'node:util'
import { type EngineErrorCode, engineErrors } from '../errors/codes.js'
import { SeglogError } from '../errors/seglog-error.js'

/**
 * Makes the error for a failure of the engine. The message names what failed and where, then what to do; `cause` is the
 * system error, with its name as `code`, if there was one. The parameters are those of `MakeError` in `binding.ts`.
 */
export function engineError(
  code: string,
  message: string,
  path = '',
  position = -1,
  offset = -1,
  errno = 0,
): SeglogError {
  const { retriable, advice } = engineErrors[code as EngineErrorCode]
  const place = position < 0 ? '' : ` at byte ${position}${offset < 0 ? '' : `, offset ${offset}`}`
  const where = path && !message.includes(path) ? `: ${path}${place}` : place
  const what = advice === 'see the message' ? '' : `; ${advice}`
  return new SeglogError(code, `${message}${where}${what}`, {
    retriable,
    ...(path && { path }),
    ...(position >= 0 && { position }),
    ...(offset >= 0 && { offset: BigInt(offset) }),
    ...(errno > 0 && { cause: systemError(errno, message) }),
  })
}

/** An error of the system by its number, with its name as `code`. */
export function systemError(errno: number, message: string): NodeJS.ErrnoException {
  return Object.assign(new Error(message), { errno: -errno, code: getSystemErrorName(-errno) })
}
