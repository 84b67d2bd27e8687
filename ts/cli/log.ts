import type { Command } from 'commander'
import { jsonOption, wholeNumber } from './arguments.js'
import type { Fault } from './partition-check.js'
import { bytesText, Progress, plural, printJson, printTable, say, styled, terminal, wantsJson } from './terminal.js'

/** `seglog log ...`: the files themselves. */
export function register(program: Command): void {
  const log = program.command('log').description('Look into the files of a data directory.')
  log
    .command('verify <dir>')
    .description('read everything and list what is wrong; exit code 1 if anything is')
    .option('--repair', 'cut logs at damaged batches, make indexes and checkpoints anew')
    .addOption(jsonOption())
    .action(verify)
  log
    .command('dump <file>')
    .description('print a .log, .index, .timeindex or .snapshot file')
    .option('--records', "a segment's records too")
    .option('--count <n>', 'stop after so many batches or entries', wholeNumber(0))
    .addOption(jsonOption())
    .action(async (file: string, options: { records?: boolean; count?: number; json?: boolean }) => {
      const { dumpFile } = await import('./log-dump.js')
      await dumpFile(file, { ...options, json: wantsJson(options) })
    })
}

async function verify(path: string, options: { repair?: boolean; json?: boolean }): Promise<void> {
  const { verifyDirectory } = await import('./log-verify.js')
  let bytes = 0
  const progress = new Progress(() => `${bytesText(bytes)} read`)
  const onProgress = (more: number) => {
    bytes += more
    progress.tick()
  }
  let report = await verifyDirectory(path, { onProgress })
  if (options.repair === true && report.journalWaits) {
    const { startAndStop } = await import('./log-repair.js')
    await startAndStop(path)
    report = await verifyDirectory(path, { onProgress })
  }
  if (options.repair === true && report.faults.some(({ repair }) => repair !== null)) {
    const { repairDirectory } = await import('./log-repair.js')
    for (const done of await repairDirectory(path, report.faults)) {
      if (wantsJson(options)) printJson({ repaired: done })
      else say(done.what)
    }
    report = await verifyDirectory(path, { onProgress })
  }
  progress.end()
  printFaults(report.faults, wantsJson(options))
  const { partitions, segments, batches } = report
  const outcome =
    report.faults.length === 0
      ? styled('green', 'nothing wrong', terminal.stderr)
      : plural(report.faults.length, 'fault')
  say(
    `${outcome}: ${plural(partitions, 'partition')}, ${plural(segments, 'segment')}, ${plural(batches, 'batch', 'batches')}, ${bytesText(report.bytes)}`,
  )
  if (report.journalWaits) {
    say(
      'records that were acknowledged wait in .journal; `--repair`, or any open for writing, puts them into their logs',
    )
  }
  if (report.faults.length > 0) process.exitCode = 1
}

function printFaults(faults: readonly Fault[], json: boolean): void {
  if (json) for (const fault of faults) printJson(fault)
  if (json || faults.length === 0) return
  printTable(
    [
      { title: 'FILE', text: ({ path }) => path },
      { title: 'BYTE', text: ({ position }) => position ?? '', align: 'right' },
      { title: 'OFFSET', text: ({ offset }) => offset ?? '', align: 'right' },
      { title: 'WHAT', text: ({ what }) => what },
      { title: '--repair WOULD', text: ({ repair }) => repair ?? 'do nothing' },
    ],
    faults,
  )
}
