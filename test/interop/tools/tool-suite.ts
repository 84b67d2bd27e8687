import { expect } from 'vitest'
import { javaClient } from '../clients/java.js'
import { JavaTools } from '../clients/java-tools.js'
import { type ClientBench, clientSuite } from '../matrix/client-suite.js'

export interface ToolBench extends ClientBench {
  tools: JavaTools
}

/** Kafka's own tools of one release line on a broker of their own. */
export function toolSuite(line: 3 | 4, tests: (bench: () => ToolBench) => void): void {
  const client = javaClient(line)
  clientSuite(client, (bench) =>
    tests(() => ({ ...bench(), tools: new JavaTools(line, client, bench().broker.bootstrap) })),
  )
}

/** Kafka answers before each of its parts knows: asks again for a while. */
export async function eventually(check: () => Promise<void>): Promise<void> {
  await expect.poll(() => check().then(() => 'yes', String), { timeout: 30_000, interval: 100 }).toBe('yes')
}
