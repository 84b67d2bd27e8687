import { join } from 'node:path'
import { codecs } from './foreign-client.js'
import { nodeFromNpm, npmFolder, programs } from './install.js'
import { ProgramClient } from './program-client.js'

/** @platformatic/kafka on the Node it demands. Its only assignor is round-robin. */
export function platformatic(): ProgramClient {
  return new ProgramClient({
    name: '@platformatic/kafka 2.12.1',
    codecs,
    assignors: ['roundrobin'],
    prepare: async () => ({
      command: [nodeFromNpm(24), join(programs, 'platformatic.mjs')],
      env: {
        CLIENT_FOLDER: npmFolder('platformatic', { '@platformatic/kafka': '2.12.1' }),
        NODE_OPTIONS: '--no-warnings',
      },
    }),
  })
}
