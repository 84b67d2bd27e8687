import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestProject } from 'vitest/node'
import { quickHeartbeats } from '../client/group-setup.js'
import { fetchJars, KafkaBroker, missingTools } from '../interop/kafka.js'

declare module 'vitest' {
  interface ProvidedContext {
    /** `host:port` of the Apache Kafka under test. */
    bootstrap: string
  }
}

/** One Apache Kafka for a whole run of tests. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const missing = missingTools()
  if (missing !== null) throw new Error(`Apache Kafka cannot be started: ${missing}`)
  fetchJars()
  const folder = mkdtempSync(join(tmpdir(), 'seglog-target-'))
  const broker = new KafkaBroker(folder)
  await broker.start({
    config: Object.fromEntries(Object.entries(quickHeartbeats).map(([key, value]) => [key, String(value)])),
  })
  project.provide('bootstrap', broker.bootstrap)
  return async () => {
    await broker.stop('SIGKILL')
    rmSync(folder, { recursive: true, force: true })
  }
}
