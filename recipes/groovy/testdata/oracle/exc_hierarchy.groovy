def t(c) { try { c() } catch (IllegalStateException | IllegalArgumentException e) { "multi " + e.message } catch (RuntimeException e) { "rt" } catch (Throwable e) { "th" } }
println t { throw new IllegalStateException("s") }
println t { throw new NumberFormatException("n") }
println t { throw new UnsupportedOperationException() }
println t { throw new Exception() }
println t { throw new Error("e") }
