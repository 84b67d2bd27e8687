import { join } from 'node:path'
import { codecs } from './foreign-client.js'
import { pipFolder, programs } from './install.js'
import { ProgramClient } from './program-client.js'

/** confluent-kafka for Python: a modern librdkafka, which its wheel brings. */
export function confluent(): ProgramClient {
  return new ProgramClient({
    name: 'confluent-kafka 2.16.1',
    codecs,
    assignors: ['range', 'roundrobin', 'cooperative'],
    prepare: async () => ({
      command: ['python3', '-u', join(programs, 'confluent.py')],
      env: { PYTHONPATH: pipFolder('confluent', ['confluent-kafka==2.16.1']) },
    }),
  })
}
