try { "abc".toInteger() } catch (NumberFormatException e) { println e.message }
try { Integer.parseInt("") } catch (NumberFormatException e) { println "empty" }
try { "1.5".toInteger() } catch (NumberFormatException e) { println e.message }
try { "x" as int } catch (e) { println e.class }
