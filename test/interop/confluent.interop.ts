import { confluent } from './clients/confluent.js'
import { clientSuite } from './matrix/client-suite.js'
import { groupTests } from './matrix/groups.js'
import { recordTests } from './matrix/records.js'

clientSuite(confluent(), (bench) => {
  recordTests(bench)
  groupTests(bench, { assignors: ['range', 'roundrobin', 'cooperative'], statics: 'closed or killed' })
})
