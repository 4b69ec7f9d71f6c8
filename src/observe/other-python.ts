/** What tells a program apart from outside. */
export type Program = {
  readonly exe: string
  readonly cmdline: readonly string[]
  /** The files that are mapped, each at least once. */
  readonly mapped: readonly string[]
  readonly is32Bit: boolean
}

/** By the name of the program or of a library in it. */
const BY_FILE: readonly (readonly [RegExp, string])[] = [
  [/^(lib)?pypy\d?[^/]*$/, 'PyPy'],
  [/^(graalpy|libpythonvm)[^/]*$/, 'GraalPy'],
  [/^micropython[^/]*$/, 'MicroPython'],
  [/^rustpython[^/]*$/, 'RustPython'],
]
/** By what a virtual machine is told to run. */
const BY_ARGUMENT: readonly (readonly [RegExp, RegExp, string])[] = [
  [/^java$/, /org\.python\.util\.jython|\bjython[^/]*\.jar/, 'Jython'],
  [/^java$/, /GraalPythonMain/, 'GraalPy'],
  [/^(mono(-sgen)?|dotnet)$/, /\bipy(32|64)?\.(exe|dll)$/, 'IronPython'],
]

/** The name of the Python that a program is which does not run CPython, if it is one. Pure. */
export const nameOtherPython = ({ exe, cmdline, mapped, is32Bit }: Program): string | undefined => {
  const names = [exe, ...mapped].map(baseName)
  const byFile = BY_FILE.find(([pattern]) => names.some((name) => pattern.test(name)))
  if (byFile) return byFile[1]
  if (is32Bit && names.some((name) => /^(lib)?python\d/.test(name))) return 'a 32-bit Python'
  const byArgument = BY_ARGUMENT.find(
    ([machine, pattern]) => machine.test(baseName(exe)) && cmdline.some((part) => pattern.test(part)),
  )
  return byArgument?.[2]
}

/** A deleted program is still what it was. */
const baseName = (path: string): string => path.slice(path.lastIndexOf('/') + 1).replace(/ \(deleted\)$/, '')
