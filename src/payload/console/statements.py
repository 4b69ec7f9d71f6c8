"""Compiles what the operator typed."""


def _find_codeop():
    try:
        import codeop
    except BaseException:
        return None  # its file is gone or the service keeps it from us: then every line is a statement
    return codeop


_codeop = _find_codeop()


def compile_statement(source, filename):
    """Code of one statement for an interactive session; None when there has to be more of it."""
    if _codeop is None:
        return compile(source, filename, "single", 0, True)
    return _codeop.compile_command(source, filename, "single")


def compile_file(source, filename):
    """Code of a whole file, as bytes, which may name their encoding."""
    return compile(source, filename, "exec", 0, True)
