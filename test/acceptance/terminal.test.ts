import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { jsonLines, seglog, temporaryFolder } from '../cli/run-cli.js'

const cli = join(__dirname, '../../dist/cli.js')
const hasScript = spawnSync('script', ['--version']).status === 0
const esc = String.fromCharCode(27)
const bold = (text: string): string => `${esc}[1m${text}${esc}[22m`

interface Shown {
  code: number | null
  /** What the terminal got, standard error included. */
  screen: string
}

/** Runs the command line, behind `prefix`, on a terminal of its own. */
function onTerminal(args: readonly string[], env: NodeJS.ProcessEnv = {}, prefix = ''): Shown {
  const command = `${prefix} ${[process.execPath, cli, ...args].map((word) => `'${word}'`).join(' ')}`
  const { status, stdout } = spawnSync('script', ['-qec', command, '/dev/null'], {
    encoding: 'utf8',
    env: { ...process.env, NO_COLOR: undefined, FORCE_COLOR: undefined, CI: undefined, TERM: 'xterm-256color', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: 20_000,
  })
  return { code: status, screen: stdout.replaceAll('\r\n', '\n') }
}

async function twoTopics(): Promise<string> {
  const data = temporaryFolder()
  await seglog(['topic', 'create', 'orders', '--partitions', '12', '--config', 'retention.ms=5000', '--data', data])
  await seglog(['produce', 'visits', '--key-separator', ':', '--data', data], 'ann:/home\nbob:/cart\n')
  return data
}

describe.skipIf(!hasScript)(`on a terminal${hasScript ? '' : ' (needs script of util-linux)'}`, () => {
  test('topics are a table with a bold head; NO_COLOR keeps the table only', async () => {
    const data = await twoTopics()
    const { code, screen } = onTerminal(['topic', 'list', '--data', data])
    expect(code).toBe(0)
    const [head, ...rows] = screen.trimEnd().split('\n')
    expect(head).toBe(bold('TOPIC   PARTITIONS  ID'))
    expect(rows).toEqual([
      expect.stringMatching(/^orders {10}12 {2}\S{22}$/),
      expect.stringMatching(/^visits {11}1 {2}\S{22}$/),
    ])
    const plain = onTerminal(['topic', 'list', '--data', data], { NO_COLOR: '1' })
    expect(plain.screen).toBe(screen.replace(bold('TOPIC   PARTITIONS  ID'), 'TOPIC   PARTITIONS  ID'))
    expect(jsonLines(onTerminal(['topic', 'list', '--json', '--data', data]).screen)).toMatchObject([
      { topic: 'orders', partitions: 12 },
      { topic: 'visits', partitions: 1 },
    ])
  })

  test('a topic: its partitions and what is set', async () => {
    const data = await twoTopics()
    const { code, screen } = onTerminal(['topic', 'describe', 'orders', '--data', data])
    expect(code).toBe(0)
    expect(screen).toContain(bold('orders'))
    expect(screen).toContain(bold('PARTITION  START  END  RECORDS'))
    expect(screen).toMatch(/retention\.ms +5000 +topic\n/)
  })

  test('records are lines to read, and the summary follows', async () => {
    const data = await twoTopics()
    const { code, screen } = onTerminal(['consume', 'visits', '--exit-at-end', '--data', data])
    expect(code).toBe(0)
    const [first, second, summary] = screen.trimEnd().split('\n')
    expect([first, second]).toEqual(['0:0\tann\t/home', '0:1\tbob\t/cart'])
    expect(summary).toMatch(/^2 records of visits, /)
  })

  test('groups and their lag are tables; a dry run says so', async () => {
    const data = await twoTopics()
    await seglog(['consume', 'visits', '--group', 'readers', '--count', '1', '--data', data])
    const lag = onTerminal(['lag', '--data', data])
    expect(lag.code).toBe(0)
    const [head, ...rows] = lag.screen.trimEnd().split('\n')
    expect(head).toBe(bold('GROUP    TOPIC   PARTITIONS  LAG  BEHIND'))
    expect(rows).toEqual([expect.stringMatching(/^readers {2}visits {11}1 {4}1 {2} *\d+ s$/)])
    expect(onTerminal(['group', 'list', '--data', data]).screen).toContain(bold('GROUP    STATE  PROTOCOL'))
    const described = onTerminal(['group', 'describe', 'readers', '--data', data]).screen
    expect(described).toContain(`${bold('readers')}  `)
    expect(described).toMatch(/visits +0 +1 +2 +1 +\d+ s +-\n/)
    const reset = onTerminal(['group', 'reset-offsets', 'readers', '--topic', 'visits', '--to-latest', '--data', data])
    expect(reset.screen).toMatch(/visits +0 +1 +2\n.*nothing was set; say --execute to do it/)
  })

  // Not in the foreground, timeout signals its child and then the whole group: a second Ctrl+C ends it at once.
  test('watched lag is drawn over itself, and Ctrl+C ends it', async () => {
    const data = await twoTopics()
    await seglog(['consume', 'visits', '--group', 'readers', '--count', '1', '--data', data])
    const { code, screen } = onTerminal(
      ['lag', 'readers', '--watch', '0.1', '--data', data],
      {},
      'timeout --foreground --preserve-status -s INT 4',
    )
    expect(code).toBe(0)
    const drawn = screen.split(`${esc}[3A`)
    expect(drawn.length).toBeGreaterThan(2)
    for (const one of drawn) expect(one).toMatch(/visits +0 +1 +2 +1 /)
  })

  test('verify says in green that nothing is wrong', async () => {
    const data = await twoTopics()
    const { code, screen } = onTerminal(['log', 'verify', data])
    expect(code).toBe(0)
    expect(screen).toContain(`${esc}[32mnothing wrong${esc}[39m`)
  })

  test('help, failure and bad usage have their exit codes', async () => {
    const data = temporaryFolder()
    const help = onTerminal(['--help'])
    expect(help.code).toBe(0)
    for (const command of ['serve', 'topic', 'produce', 'consume', 'group', 'lag', 'log', 'bench'])
      expect(help.screen).toContain(`\n  ${command} `)
    const missing = onTerminal(['topic', 'list', '--data', join(data, 'no')])
    expect(missing.code).toBe(1)
    expect(missing.screen).toMatch(/^seglog: .*\(FILE_NOT_FOUND\)\n$/)
    const unknown = onTerminal(['topic', 'lst'])
    expect(unknown.code).toBe(2)
    expect(unknown.screen).toContain('Did you mean list?')
    expect(onTerminal(['consume', 't', '--from', 'yesterday', '--data', data]).code).toBe(2)
  })
})

describe('in a pipe', () => {
  test('everything is one JSON object per line, without colour', async () => {
    const data = await twoTopics()
    for (const args of [
      ['topic', 'list'],
      ['topic', 'describe', 'orders'],
      ['consume', 'visits', '--exit-at-end'],
    ]) {
      const { code, stdout, stderr } = await seglog([...args, '--data', data])
      expect(code).toBe(0)
      expect(jsonLines(stdout).length).toBeGreaterThan(0)
      expect(stdout + stderr).not.toContain(esc)
    }
  })

  test('a reader that has seen enough is no failure', async () => {
    const data = temporaryFolder()
    const lines = Array.from({ length: 50_000 }, (_, n) => `line ${n}`).join('\n')
    await seglog(['produce', 't', '--acks', '1', '--data', data], lines)
    const command = `set -o pipefail; '${process.execPath}' '${cli}' consume t --exit-at-end --data '${data}' | head -1`
    const { status, stdout, stderr } = spawnSync('bash', ['-c', command], { encoding: 'utf8' })
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
    expect(jsonLines(stdout)).toMatchObject([{ offset: '0', value: 'line 0' }])
  })
})
