try { throw new RuntimeException("boo") } catch (RuntimeException e) { println e.message }
try { throw new IllegalArgumentException("arg") } catch (Exception e) { println e.class.name + " " + e.message }
try { 1 / 0 } catch (ArithmeticException e) { println e.message }
try { null.x() } catch (NullPointerException e) { println "npe" }
