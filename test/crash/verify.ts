/** Opens a directory, so that recovery runs, closes it, and lists what `log verify` finds wrong, a `fault` a line. */
import { verifyDirectory } from '../../ts/cli/log-verify.js'
import { open } from '../../ts/index.js'

async function main(data: string): Promise<void> {
  const log = await open(data)
  await log.close()
  for (const fault of (await verifyDirectory(data)).faults) process.stdout.write(`fault ${JSON.stringify(fault)}\n`)
}

main(process.argv[2] ?? '').catch((error: unknown) => {
  process.stderr.write(`fault ${error instanceof Error ? error.stack : String(error)}\n`)
  process.exit(1)
})
