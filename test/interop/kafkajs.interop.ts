import { kafkaJs } from './clients/kafkajs.js'
import { clientSuite } from './matrix/client-suite.js'
import { groupTests } from './matrix/groups.js'
import { recordTests } from './matrix/records.js'

clientSuite(kafkaJs(), (bench) => {
  recordTests(bench)
  groupTests(bench, { assignors: ['roundrobin'], statics: 'none' })
})
