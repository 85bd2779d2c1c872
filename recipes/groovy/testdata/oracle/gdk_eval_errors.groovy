// What is wrong with a text that is evaluated can be caught.
import org.codehaus.groovy.control.MultipleCompilationErrorsException
for (text in ['1 +', 'def (', "'a", 'if (1', '}']) {
  try { Eval.me(text); println 'evaluated' } catch (MultipleCompilationErrorsException e) { println e.message.readLines()[0] }
  try { new GroovyShell().parse(text); println 'parsed' } catch (Exception e) { println e.class.name }
}
try { new ConfigSlurper().parse('a {') } catch (e) { println e.class.simpleName }
