def log = []
try { try { log << 1; throw new Exception() } finally { log << 2 } } catch (e) { log << 3 } finally { log << 4 }
println log
