import type { ProbeState } from '../model.ts'
import type { LogLine } from './log-line.ts'

const POLLED = 'processes are polled; pyheapctl doctor tells what is missing'

/** The line that tells how the probe is doing; where it was asked for, its absence is worth a warning. */
export function probeLine(state: ProbeState, isWanted: boolean): LogLine {
  switch (state.kind) {
    case 'active':
      return {
        level: 'info',
        fields: {
          means: state.means,
          watches: state.watches,
          ...(state.instead !== undefined && { instead: state.instead }),
        },
        message: 'the probe is attached',
      }
    case 'ended':
      return {
        level: 'warn',
        fields: { detail: state.detail, retryMs: state.retryMs },
        message: 'the probe has ended, and is started again',
      }
    case 'given-up':
      return {
        level: isWanted ? 'warn' : 'info',
        fields: { detail: state.detail, hint: POLLED },
        message: 'no probe',
      }
    case 'lost':
      return {
        level: 'warn',
        fields: { events: state.events },
        message: 'the probe has lost events; all processes are looked at instead',
      }
    default:
      return state satisfies never
  }
}
