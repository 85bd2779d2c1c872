import java.util.regex.*
def show = { it == null ? 'null' : it.toString().replace('\n', '\\n').replace('\r', '\\r') }
def t = { String what, Closure c -> try { println what + ': ' + show(c()) } catch (Exception e) { println what + ' ! ' + e.class.name + ': ' + show(e.message) } }
for (r in ['$0', '$1', '$2', '$12', '$21', '$3', '$', 'a$', '\\$', '\\', 'x\\\\y', '${n}', '${zz}', '${n', '${1a}', '${}', '$x', '\\n', '$1$2', '${n}x', '$10', '$01', '\\$1', '$ 1', '${n-}'])
  t("replace $r") { 'ab-cd'.replaceAll(/(?<n>\w)(\w)/, r) }
t('replace nothing bad') { 'ab'.replaceAll(/x/, '$9') }
t('replace null group') { 'ab'.replaceAll(/(a)|(b)/, '[$1|$2]') }
t('quoteReplacement') { Matcher.quoteReplacement('a$1\\b') }
t('replace quoted') { 'x'.replaceAll('x', Matcher.quoteReplacement('$1\\')) }
t('Pattern.quote') { [Pattern.quote('a.b'), Pattern.quote('a\\Eb'), 'a\\Eb'.replaceAll(Pattern.quote('\\E'), '-')] }
t('replace closure') { 'a1b2'.replaceAll(/\d/) { it.toInteger() + 1 } }
t('replace closure groups') { 'a1b2'.replaceAll(/([a-z])(\d)/) { all, a, b -> b + a } }
t('replace closure it') { 'a1b2'.replaceAll(/([a-z])(\d)/) { it[2] + it[1] } }
t('replace closure dollar') { 'a1'.replaceAll(/\d/) { '$0\\' } }
t('replace closure null') { 'a1'.replaceAll(/\d/) { null } }
t('replaceFirst closure') { 'a1b2'.replaceFirst(/\d/) { "<$it>" } }
t('replaceAll pattern') { 'a1b2'.replaceAll(~/\d/, 'x$0') }
t('replaceFirst pattern') { 'a1b2'.replaceFirst(~/\d/, 'x') }
t('find') { 'a1b22'.find(/\d+/) }
t('find pattern') { 'a1b22'.find(~/\d{2}/) }
t('find none') { 'abc'.find(/\d/) }
t('find closure') { 'a1b22'.find(/([a-z])(\d+)/) { all, a, b -> "$b$a" } }
t('find closure int') { 'a1'.find(/\d/) { it.toInteger() + 1 }.class }
t('find closure none') { 'a'.find(/\d/) { 'x' } }
t('findAll') { 'a1b22'.findAll(/([a-z])(\d+)/) }
t('findAll closure') { 'a1b22'.findAll(/([a-z])(\d+)/) { all, a, b -> b } }
t('findAll closure 1') { 'a1b22'.findAll(/\d/) { it.toInteger() * 2 } }
t('findAll pattern') { 'a1b22'.findAll(~/\d/) }
t('eachMatch') { def l = []; 'a1b22'.eachMatch(/([a-z])(\d+)/) { l << it }; l }
t('eachMatch groups') { def l = []; 'a1b22'.eachMatch(/([a-z])(\d+)/) { all, a, b -> l << b }; l }
t('eachMatch plain') { def l = []; 'a1b22'.eachMatch(~/\d/) { l << it }; l }
t('minus pattern') { 'a1b2' - ~/\d/ }
t('matches') { ['abc'.matches('a.c'), 'abc'.matches(~/ab/)] }
t('Pattern.matches') { Pattern.matches('a+', 'aaa') }
t('splits') { ['a,b,,'.split(','), 'a,b,,'.split(',', -1), 'a,b,,'.split(',', 2), ',a'.split(','), ''.split(','), 'abc'.split(''), 'abc'.split('', 2), ','.split(','), 'aXbXc'.split('(?=X)'), 'Xab'.split('(?=X)'), 'a b'.split(), 'a1b2'.split(/(\d)/)]*.toList() }
t('pattern split') { [(~/,/).split('a,b,,').toList(), (~/,/).split('a,b,,', -1).toList(), (~/,/).split('a,b,c', 2).toList()] }
t('splitEachLine') { def l = []; 'a b\nc  d'.splitEachLine(/\s+/) { l << it }; l }
