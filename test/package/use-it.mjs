import { open } from 'seglog'
import { oneRecord } from './one-record.js'

await oneRecord({ open })
console.log('one record, by import')
