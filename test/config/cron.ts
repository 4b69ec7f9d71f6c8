/** Enough of a cron check to tell a good expression from a bad one. */
export const checkCron = (expression: string): string | undefined =>
  /^(?:[\d*/,-]+ ){4}[\d*/,-]+$/.test(expression) ? undefined : 'it needs five fields'
