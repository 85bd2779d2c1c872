try { try { throw new Exception("inner") } catch (e) { throw new RuntimeException("outer", e) } }
catch (e) { println e.message; println e.cause.message }
