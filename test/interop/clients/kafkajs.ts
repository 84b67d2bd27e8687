import { join } from 'node:path'
import { codecs } from './foreign-client.js'
import { nodeFromNpm, npmFolder, programs } from './install.js'
import { ProgramClient } from './program-client.js'

/** KafkaJS with its codec plug-ins, on a Node new enough to bring zstd. */
export function kafkaJs(): ProgramClient {
  return new ProgramClient({
    name: 'KafkaJS 2.2.4',
    codecs,
    assignors: ['roundrobin'],
    prepare: async () => {
      const folder = npmFolder('kafkajs', { kafkajs: '2.2.4', 'kafkajs-snappy': '1.1.0', 'lz4-napi': '2.10.0' })
      return {
        command: [nodeFromNpm(24), join(programs, 'kafkajs.cjs')],
        env: {
          NODE_PATH: join(folder, 'node_modules'),
          KAFKAJS_NO_PARTITIONER_WARNING: '1',
          NODE_OPTIONS: '--no-warnings',
        },
      }
    },
  })
}
