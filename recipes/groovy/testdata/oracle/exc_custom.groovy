class MyEx extends Exception { int code; MyEx(String m, int c) { super(m); code = c } }
try { throw new MyEx("bad", 7) } catch (MyEx e) { println e.message + e.code; println e instanceof Exception }
class E2 extends RuntimeException { E2(String m) { super(m) } }
try { throw new E2("two") } catch (RuntimeException e) { println e.class.simpleName + e.message }
class E3 extends Exception { }
try { throw new E3() } catch (e) { println e.class.name; println e.message }
