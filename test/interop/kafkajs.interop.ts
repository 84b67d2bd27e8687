import { kafkaJs } from './clients/kafkajs.js'
import { adminTests } from './matrix/admin.js'
import { clientSuite } from './matrix/client-suite.js'
import { groupTests } from './matrix/groups.js'
import { recordTests } from './matrix/records.js'

// Not among those whose connections are cut: its idempotent producer (experimental, it says) then stands still for ever,
// on Apache Kafka as well.
clientSuite(kafkaJs(), (bench) => {
  recordTests(bench)
  adminTests(bench, ['listReassignments'])
  groupTests(bench, { assignors: ['roundrobin'], statics: 'none' })
})
