import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { jarsOf } from './java.js'
import type { ProgramClient } from './program-client.js'

export interface ToolAnswer {
  code: number
  /** stdout. */
  output: string
  /** stderr. */
  errors: string
}

export type ToolName =
  | 'AclCommand'
  | 'BrokerApiVersionsCommand'
  | 'ClientCompatibilityTest'
  | 'ClusterTool'
  | 'ConfigCommand'
  | 'ConsoleConsumer'
  | 'ConsoleProducer'
  | 'ConsumerGroupCommand'
  | 'ConsumerPerformance'
  | 'DeleteRecordsCommand'
  | 'GetOffsetShell'
  | 'GroupsCommand'
  | 'LeaderElectionCommand'
  | 'LogDirsCommand'
  | 'MetadataQuorumCommand'
  | 'ProducerPerformance'
  | 'ReassignPartitionsCommand'
  | 'TopicCommand'
  | 'TransactionsCommand'
  | 'VerifiableConsumer'
  | 'VerifiableProducer'

const packages: Partial<Record<ToolName, string>> = {
  ConfigCommand: 'kafka.admin',
  ConsoleConsumer: 'org.apache.kafka.tools.consumer',
  ConsumerGroupCommand: 'org.apache.kafka.tools.consumer.group',
  ReassignPartitionsCommand: 'org.apache.kafka.tools.reassign',
}

/** Those that 3.9 still has in Scala. */
const packages3: Partial<Record<ToolName, string>> = {
  ...packages,
  AclCommand: 'kafka.admin',
  BrokerApiVersionsCommand: 'kafka.admin',
  ConsoleProducer: 'kafka.tools',
}

/** The command line tools of one of Kafka's release lines, on one broker. */
export class JavaTools {
  constructor(
    readonly line: 3 | 4,
    private readonly client: ProgramClient,
    private readonly bootstrap: string,
  ) {}

  /** Runs a tool to its end, in the JVM that the client and the other tools share: a start of one takes a second. */
  async run(tool: ToolName, args: readonly string[], input = ''): Promise<ToolAnswer> {
    const main = this.classOf(tool)
    return this.client.call<ToolAnswer>('tool', { main, args: [...this.target(tool), ...args], input })
  }

  /** Its stdout; throws where it does not end with 0. */
  async output(tool: ToolName, args: readonly string[], input = ''): Promise<string> {
    const { code, output, errors } = await this.run(tool, args, input)
    if (code !== 0) throw new Error(`${tool} ${args.join(' ')} ended with ${code}\n${output}\n${errors}`)
    return output
  }

  /** What it says, on both streams, when it ends with 1. */
  async complaint(tool: ToolName, args: readonly string[]): Promise<string> {
    const { code, output, errors } = await this.run(tool, args)
    if (code !== 1) throw new Error(`${tool} ${args.join(' ')} ended with ${code}\n${output}\n${errors}`)
    return output + errors
  }

  /** Starts a tool in a JVM of its own: one that goes on until it is ended. */
  start(tool: ToolName, args: readonly string[]): RunningTool {
    const options = ['-Xmx200m', '-XX:TieredStopAtLevel=1', '-Xshare:auto', '-cp', join(jarsOf(this.line), '*')]
    return new RunningTool([...options, this.classOf(tool), ...this.target(tool), ...args])
  }

  /** A property of what reads a console producer's lines, or writes a console consumer's, as this line takes it. */
  property(of: 'reader' | 'formatter', name: string, value: string): string[] {
    return [this.line === 3 ? '--property' : `--${of}-property`, `${name}=${value}`]
  }

  private classOf(tool: ToolName): string {
    return `${(this.line === 3 ? packages3 : packages)[tool] ?? 'org.apache.kafka.tools'}.${tool}`
  }

  /** The broker, as the tool is told. */
  private target(tool: ToolName): string[] {
    if (tool === 'ProducerPerformance') {
      return [this.line === 3 ? '--producer-props' : '--command-property', `bootstrap.servers=${this.bootstrap}`]
    }
    // Its options stand behind the name of a command, with the arguments.
    return tool === 'ClusterTool' ? [] : ['--bootstrap-server', this.bootstrap]
  }
}

/** A tool that tells what it does in lines of JSON. */
export class RunningTool {
  readonly events: Record<string, unknown>[] = []
  private readonly child: ChildProcess
  private readonly closed: Promise<unknown>
  private errors = ''
  private isOver = false
  private wake: () => void = () => {}

  constructor(args: readonly string[]) {
    const child = spawn('java', args, { stdio: ['ignore', 'pipe', 'pipe'] })
    this.child = child
    child.stderr.on('data', (chunk: Buffer) => {
      this.errors = (this.errors + chunk.toString()).slice(-20_000)
    })
    createInterface({ input: child.stdout }).on('line', (line) => {
      if (line.startsWith('{')) this.events.push(JSON.parse(line) as Record<string, unknown>)
      else this.errors += `${line}\n`
      this.wake()
    })
    this.closed = once(child, 'close').then(() => {
      this.isOver = true
      this.wake()
    })
  }

  /** Events of one name, in their order. */
  named<T>(name: string): T[] {
    return this.events.filter((event) => event.name === name) as T[]
  }

  /** Resolves once `holds`; rejects when the tool ends before, or after a minute. */
  async until(what: string, holds: () => boolean): Promise<void> {
    const deadline = Date.now() + 60_000
    while (!holds()) {
      if (this.isOver || Date.now() > deadline) throw new Error(`${what}: not yet\n${this.story()}`)
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, 200)
        this.wake = () => {
          clearTimeout(timer)
          resolve()
        }
      })
    }
  }

  /** Resolves to the exit code once it ended by itself. */
  async ended(): Promise<number | null> {
    await this.closed
    return this.child.exitCode
  }

  /** Ends it as its user does, and waits for that. */
  async stop(signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM'): Promise<void> {
    if (!this.isOver) this.child.kill(signal)
    await this.closed
  }

  private story(): string {
    return [...this.events.slice(-20).map((event) => JSON.stringify(event)), this.errors.slice(-4000)].join('\n')
  }
}
