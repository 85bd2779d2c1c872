try { foo.bar } catch (MissingPropertyException e) { println e.property }
try { nope() } catch (MissingMethodException e) { println e.method }
