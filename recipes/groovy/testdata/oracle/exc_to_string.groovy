try { throw new IOException("io") } catch (e) { println e; println e.toString() }
try { throw new RuntimeException() } catch (e) { println e; println e.message }
