/** Something that sends together what it was given within one turn of the event loop. */
export interface TurnSender {
  /** Does not throw. */
  sendTurn(): void
}

/** Has senders send at the end of the turn: behind what runs now, and before the event loop goes on. */
export class SendingTurn {
  #due: TurnSender[] = []

  /** Each sender once a turn. */
  add(sender: TurnSender): void {
    this.#due.push(sender)
    if (this.#due.length === 1) process.nextTick(this.#end)
  }

  readonly #end = (): void => {
    const due = this.#due
    this.#due = []
    for (const sender of due) sender.sendTurn()
  }
}
