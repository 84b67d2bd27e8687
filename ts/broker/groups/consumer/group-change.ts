import type { LogRecordBytes } from '../group-records.js'
import { nothingAssigned } from './assignment.js'
import type { ConsumerGroup } from './consumer-group.js'
import type { ConsumerMember } from './consumer-member.js'
import {
  type ConsumerGroupRecord,
  currentRecord,
  memberRecord,
  memberTombstones,
  targetRecord,
} from './consumer-records.js'

/** What is to be written of a group: it happens as a whole or not at all. */
export class GroupChange {
  readonly records: ConsumerGroupRecord[] = []
  /** Records of the classic protocol, where the group was of it before. */
  readonly classicBefore: LogRecordBytes[] = []
  readonly #written: (() => void)[] = []

  add(...records: ConsumerGroupRecord[]): void {
    this.records.push(...records)
  }

  /** Called after the records have become true; at once after nothing was to be written. */
  whenWritten(act: () => void): void {
    this.#written.push(act)
  }

  written(): void {
    for (const act of this.#written) act()
  }

  get isEmpty(): boolean {
    return this.records.length === 0 && this.classicBefore.length === 0
  }

  /** Puts a member in the place of a static one, with its target. */
  replace(group: ConsumerGroup, old: ConsumerMember, next: ConsumerMember): void {
    this.add(
      ...memberTombstones(group.id, old.id),
      memberRecord(group.id, next),
      targetRecord(group.id, next.id, group.targets.get(old.id) ?? nothingAssigned),
      currentRecord(group.id, next),
    )
  }
}
