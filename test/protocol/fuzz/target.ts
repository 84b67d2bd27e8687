import type { Random } from './random.js'

/** Something that parses bytes from outside. */
export interface Target {
  readonly name: string
  /** An input, mostly a valid one that was damaged. */
  input(random: Random): Buffer
  /** Parses it; throws for anything but a sound value or the error that is meant for such input. */
  check(input: Buffer, random: Random): void
}

export function codeOf(error: unknown): string {
  return (error as { code?: string }).code ?? 'no code'
}

/** What `parse` gives, or undefined where it refuses the input by one of `codes`. */
export function unless<T>(codes: readonly string[], parse: () => T): T | undefined {
  try {
    return parse()
  } catch (error) {
    if (codes.includes(codeOf(error))) return undefined
    throw error
  }
}

export function insist(holds: boolean, what: string): void {
  if (!holds) throw new Error(what)
}
