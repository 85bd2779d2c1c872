import java.util.regex.*
def show = { it == null ? 'null' : it.toString().replace('\n', '\\n').replace('\r', '\\r') }
def t = { String what, Closure c -> try { println what + ': ' + show(c()) } catch (Exception e) { println what + ' ! ' + e.class.name + ': ' + show(e.message) } }
def m = 'a1b22c333' =~ /([a-z])(\d+)/
t('group before') { m.group() }
t('start before') { m.start() }
t('end before') { m.end() }
t('group1 before') { m.group(1) }
t('groupname before') { m.group('x') }
t('start1 before') { m.start(1) }
t('find') { m.find() }
t('group') { [m.group(), m.group(1), m.group(2), m.start(), m.end(), m.start(2), m.end(2)] }
t('group 3') { m.group(3) }
t('group -1') { m.group(-1) }
t('start 7') { m.start(7) }
t('group x') { m.group('x') }
t('toString') { m }
t('find(4)') { m.find(4) }
t('group') { m.group() }
t('find(99)') { m.find(99) }
t('find(-1)') { m.find(-1) }
t('after bad find') { m.group() }
t('lookingAt') { m.lookingAt() }
t('group') { m.group() }
t('find next') { m.find(); m.group() }
t('matches') { m.matches() }
t('after') { m.group() }
t('find') { m.find(); m.group() }
t('region') { m.region(2, 5); [m.regionStart(), m.regionEnd(), m.find(), m.group(), m.find()] }
t('region bad') { m.region(5, 2) }
t('region bad') { m.region(-1, 2) }
t('region bad') { m.region(0, 99) }
t('reset') { m.reset(); m.find(); m.group() }
t('reset text') { m.reset('z9'); m.find(); m.group() }
t('count') { m = 'a1b22c333' =~ /([a-z])(\d+)/; m.count }
t('after count') { m.group() }
t('m[1]') { m[1] }
t('start after m[1]') { m.start() }
t('m[-1]') { m[-1] }
t('m[5]') { m[5] }
t('m[-4]') { m[-4] }
t('m[0..1]') { m[0..1] }
t('m[0,2]') { m[0, 2] }
t('m[0][1]') { m[0][1] }
t('size') { m.size() }
t('groupCount') { m.groupCount() }
t('hasGroup') { m.hasGroup() }
t('each') { def l = []; m.each { all, a, b -> l << "$all/$a/$b" }; l }
t('each it') { def l = []; m.each { l << it }; l }
t('eachWithIndex') { def l = []; m.eachWithIndex { x, i -> l << x[0] + i }; l }
t('collect') { m.collect { it[2].toInteger() }.sum() }
t('findAll it') { m.findAll { it[2].size() > 1 } }
t('iterator') { m.iterator().next() }
t('in for') { def l = []; for (x in m) l << x[0]; l }
t('find a match') { ('a1b2' =~ /\d/).find { it == '2' } }
t('find no match') { ('a1b2' =~ /\d/).find { it == '3' } }
t('replace null') { 'abc'.replaceAll(null, 'a') }
t('replace by null') { 'a'.replaceAll('a', null) }
t('words of camel case') { ['camelCaseText'.split(/(?=[A-Z])/).toList(), 'camelCaseText'.replaceAll(/(?<=[a-z])(?=[A-Z])/, '_')] }
t('thousands') { '1234567'.replaceAll(/(?<=\d)(?=(\d{3})+$)/, ',') }
t('null as pattern') { ('null' =~ null).find() }
t('chained') { ('a' =~ /b/) ? 'y' : ('c' =~ /c/) ? 'z' : 'w' }
t('truths') { def n = 'abab' =~ /a/; [n as boolean, n as boolean, n as boolean] }
t('spread') { ('a1b2' =~ /\d/)*.toInteger() }
t('indexes') { def n = 'one two' =~ /\w+/; [n[0..1], n[[0, 1]], n[-1]] }
t('all at once') { def n = 'one two' =~ /\w+/; n.matches(); n[1] }
