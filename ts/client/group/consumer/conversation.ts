import type { ResponseOf } from '../../../protocol/apis.js'
import type { Clock } from '../clock.js'
import type { GroupCalls } from '../group-calls.js'
import { Heartbeats } from '../heartbeats.js'
import { type Constants, type Facts, Speech } from './speech.js'
import { Stay } from './stay.js'
import { ToldAssignment } from './told-assignment.js'

/** A broker waits for nine heartbeats in its defaults; one that was not answered in the time of these few is given up. */
const intervalsToAnswer = 3
const answerMsMin = 1_000

/** What one member and its coordinator tell each other, from its join to the end of its stay. */
export class Conversation {
  readonly stay: Stay
  private readonly speech: Speech
  private readonly heartbeats: Heartbeats
  /** As the broker tells it; 0 before it has. */
  intervalMs = 0
  private isOver = false

  constructor(
    private readonly calls: GroupCalls,
    clock: Clock,
    constants: Constants,
    private readonly facts: () => Facts,
    /** Called with every assignment that the member is told, one that it has among them. */
    private readonly onTold: (told: ToldAssignment) => void,
  ) {
    this.stay = new Stay(constants.memberId)
    this.speech = new Speech(constants)
    const report = (error: Parameters<Stay['report']>[0]) => this.stay.report(error)
    this.heartbeats = new Heartbeats(
      clock,
      () => this.intervalMs,
      () => this.exchange(),
      report,
    )
  }

  /** Joins the group; heartbeats begin with `start`. Rejects with what the coordinator answers. */
  join(): Promise<void> {
    return this.exchange()
  }

  start(): void {
    this.heartbeats.start()
  }

  /** There is something to say that should not wait for the next heartbeat. */
  soon(): void {
    this.heartbeats.soon()
  }

  /** Says that the member has taken up what it was told, so far as it could. */
  acknowledge(): void {
    this.speech.acknowledge()
    this.heartbeats.soon()
  }

  /** No more is said or heard. */
  stop(): void {
    this.isOver = true
    this.heartbeats.stop()
  }

  private async exchange(): Promise<void> {
    const { request, heard } = this.speech.say(this.stay.generation, this.facts())
    const timeoutMs = this.intervalMs === 0 ? undefined : Math.max(answerMsMin, intervalsToAnswer * this.intervalMs)
    const answer = await this.calls.consumerHeartbeat(request, timeoutMs)
    if (this.isOver) return
    heard()
    this.hear(answer)
  }

  private hear({ memberEpoch, heartbeatIntervalMs, assignment }: ResponseOf<68>): void {
    this.stay.generation = memberEpoch
    this.intervalMs = Math.max(1, heartbeatIntervalMs)
    if (assignment !== null) this.onTold(new ToldAssignment(assignment.topicPartitions))
  }
}
