import type {
  AdminAnswer,
  ClassicAssignor,
  Codec,
  ConsumeJob,
  ForeignClient,
  FoundRecord,
  JoinJob,
  MemberEvent,
  MemberHost,
  ProduceJob,
} from './foreign-client.js'
import { Program } from './program.js'

export interface ProgramOfClient {
  name: string
  codecs: readonly Codec[]
  assignors: readonly ClassicAssignor[]
  /** Installs and says how the program is started. */
  prepare(): Promise<{ command: string[]; env?: Record<string, string> }>
}

/** A client that one program speaks for: one process for produce, consume and admin, further ones for members. */
export class ProgramClient implements ForeignClient {
  readonly name: string
  readonly codecs: readonly Codec[]
  readonly assignors: readonly ClassicAssignor[]
  private readonly prepare: ProgramOfClient['prepare']
  private start: { command: string[]; env?: Record<string, string> } | null = null
  private main: Program | null = null

  constructor({ name, codecs, assignors, prepare }: ProgramOfClient) {
    this.name = name
    this.codecs = codecs
    this.assignors = assignors
    this.prepare = prepare
  }

  async install(): Promise<void> {
    this.start ??= await this.prepare()
  }

  async produce(job: ProduceJob): Promise<void> {
    await this.program().call('produce', job)
  }

  async consume(job: ConsumeJob): Promise<FoundRecord[]> {
    return this.program().call<FoundRecord[]>('consume', job)
  }

  /** One admin call in the client's own words: see the program for the calls it knows. */
  async admin(bootstrap: string, what: string, args: object = {}): Promise<AdminAnswer> {
    try {
      return { ok: await this.program().call('admin', { bootstrap, what, ...args }) }
    } catch (error) {
      return { error: (error as Error).message }
    }
  }

  /** Any further call that only this client's program knows. */
  async call<T>(call: string, args: object): Promise<T> {
    return this.program().call<T>(call, args)
  }

  async host(onEvent: (event: MemberEvent) => void = () => {}): Promise<MemberHost> {
    const events: MemberEvent[] = []
    const program = this.newProgram((said) => {
      const event = { ...said, at: BigInt(said.at as string) } as MemberEvent
      events.push(event)
      onEvent(event)
    })
    return {
      events,
      join: (job: JoinJob) => program.call<void>('join', job),
      leave: (member: string) => program.call<void>('leave', { member }),
      kill: () => program.kill(),
      close: () => program.close(),
      complaints: () => program.complaints,
    }
  }

  async close(): Promise<void> {
    const { main } = this
    this.main = null
    await main?.close()
  }

  private program(): Program {
    this.main ??= this.newProgram()
    return this.main
  }

  private newProgram(onEvent?: (event: Record<string, unknown>) => void): Program {
    if (this.start === null) throw new Error(`${this.name} is not installed`)
    return new Program(this.start.command, this.start.env ?? {}, onEvent)
  }
}
