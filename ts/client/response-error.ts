import type { SeglogError, SeglogErrorDetail } from '../errors/seglog-error.js'
import { causeOf } from '../protocol/cause.js'
import { protocolError } from '../protocol/errors.js'

/** The part of a response that an error code belongs to. */
interface ResponsePart {
  readonly errorCode: number
  readonly errorMessage?: string | null
}

/**
 * The error that a part of a response stands for: the full one where the broker runs in this process, else what the
 * code and message say. Null for NONE.
 */
export function errorOf(part: ResponsePart, detail: SeglogErrorDetail = {}): SeglogError | null {
  if (part.errorCode === 0) return null
  return causeOf(part) ?? protocolError(part.errorCode, part.errorMessage ?? undefined, detail)
}

/** Throws the error that a part of a response stands for, if any. */
export function throwErrorOf(part: ResponsePart, detail?: SeglogErrorDetail): void {
  const error = errorOf(part, detail)
  if (error !== null) throw error
}
