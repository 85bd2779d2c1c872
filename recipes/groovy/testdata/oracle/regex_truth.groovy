import java.util.regex.*
def show = { it == null ? 'null' : it.toString().replace('\n', '\\n').replace('\r', '\\r') }
def t = { String what, Closure c -> try { println what + ': ' + show(c()) } catch (Exception e) { println what + ' ! ' + e.class.name + ': ' + show(e.message) } }
t('truth') { def n = 'abc' =~ /b/; if (n) { [n.start(), n.group()] } else 'none' }
t('truth loop') { def n = 'abcb' =~ /b/; def l = []; while (n) l << n.start(); l }
t('truth twice') { def n = 'abc' =~ /b/; def a = n ? 1 : 0; def b = n ? 1 : 0; [a, b] }
t('not') { def n = 'abc' =~ /x/; !n }
t('and') { ('abc' =~ /a/) && ('abc' =~ /c/) }
t('findAll closure') { ['ab', 'cd', 'ax'].findAll { it =~ /^a/ } }
t('any') { ['ab', 'cd'].any { it =~ /d$/ } }
t('every') { ['ab', 'cd'].every { it =~ /[bd]$/ } }
t('find closure') { ['ab', 'cd'].find { it =~ /d/ } }
t('grep') { ['ab', 'cd', null].grep(~/.b/) }
t('switch') { switch ('hello') { case ~/h.*o/: 'yes'; break; default: 'no' } }
t('elvis') { ('abc' =~ /x/) ?: 'none' }
t('assign in if') { def n; if ((n = 'k=v' =~ /(\w)=(\w)/)) n.group(2) }
t('asBoolean') { ('abc' =~ /b/).asBoolean() }
t('matches group') { def n = 'abc' =~ /(a)(b)?(x)?c/; n.matches(); [n.group(1), n.group(2), n.group(3), n.start(3), n.end(3)] }
t('replaceAll') { ('a1b2' =~ /\d/).replaceAll('<$0>') }
t('replaceFirst') { ('a1b2' =~ /\d/).replaceFirst('<$0>') }
t('replaceAll fn') { ('a1b2' =~ /\d/).replaceAll { it.group() + it.group() } }
t('appendReplacement') { def n = 'a1b2c' =~ /\d/; def sb = new StringBuffer(); while (n.find()) n.appendReplacement(sb, '[$0]'); n.appendTail(sb); sb }
t('appendReplacement once') { def n = 'a1b2c' =~ /\d/; def sb = new StringBuffer(); n.find(); n.appendReplacement(sb, 'X'); n.appendTail(sb); sb }
t('appendReplacement none') { def n = 'abc' =~ /\d/; n.appendReplacement(new StringBuffer(), 'x') }
t('toMatchResult') { def n = 'a1b2' =~ /\d/; n.find(); def r = n.toMatchResult(); n.find(); [r.group(), n.group(), r.start()] }
t('pattern()') { ('a' =~ /x+/).pattern() }
t('pattern pattern') { ('a' =~ /x+/).pattern().pattern() }
t('empty then end') { def n = 'ab' =~ /x*/; def l = []; while (n.find()) l << n.start(); l << n.find(); l }
t('empty group after') { def n = '' =~ /x*/; n.find(); n.find(); n.group() }
t('flags') { [Pattern.compile('a', Pattern.CASE_INSENSITIVE).flags(), (~/(?im)a/).flags(), Pattern.compile('a').flags(), (~/(?i:a)/).flags(), (~/a(?i)/).flags(), Pattern.compile('a', 256).flags()] }
for (f in [Pattern.UNIX_LINES, Pattern.CASE_INSENSITIVE, Pattern.COMMENTS, Pattern.MULTILINE, Pattern.LITERAL, Pattern.DOTALL, Pattern.UNICODE_CASE, Pattern.UNICODE_CASE | 2, Pattern.UNICODE_CHARACTER_CLASS, 8 | 2, 16 | 2, 4096])
  for (p in ['a.b$', '^É b', 'a .b', '\\w+'])
    t("flag $f $p") { def r = []; for (s in ['A.B', 'a.b', 'a\nb\n', 'a.b$', 'x\né b', 'aXb']) r << (Pattern.compile(p, f).matcher(s).find() ? 1 : 0); r }
t('pattern ==') { ~/a/ == ~/a/ }
t('pattern toString') { (~/a\d/).toString() }
t('isCase null') { (~/a/).isCase(null) }
t('multi line') { 'done\n' ==~ /done$/ }
t('gstring') { def x = 'b+'; "abbb" =~ "a${x}" ? 'y' : 'n' }
t('gstring find') { def x = 'b'; "abbb".replaceAll("${x}+", "${x}\$0") }
t('named') { def n = '2024-05' =~ /(?<y>\d{4})-(?<m>\d\d)/; n.find(); [n.group('y'), n.group('m'), n.start('m'), n.end('m')] }
t('named bad') { def n = '2024' =~ /(?<y>\d{4})/; n.find(); n.group('q') }
t('usePattern') { def n = 'a1b2' =~ /\d/; n.find(); n.usePattern(~/[a-z]/); n.find(); n.group() }
t('inst') { [('a' =~ /a/) instanceof Matcher, ~/a/ instanceof Pattern, ('a' =~ /a/) instanceof MatchResult] }
t('bad') { 'x' =~ /a(/ }
t('null ==~') { null ==~ /a/ }
t('null =~') { (null =~ /null/) ? 1 : 0 }
t('number ==~') { 42 ==~ /\d+/ }
t('collectReplacements') { 'abc'.collectReplacements { it == 'a' ? 'X' : null } }
t('expand') { def (a, b) = ('k:v' =~ /(\w):(\w)/)[0][1..2]; a + b }
t('destructure') { def (all, k, v) = ('k:v' =~ /(\w):(\w)/)[0]; k + v }
t('tokenize') { 'a,b;c'.tokenize(',;') }
t('takeWhile') { 'aab'.takeWhile { it =~ /a/ } }
t('dropWhile') { ['a', 'b'].dropWhile { it =~ /a/ } }
t('removeAll') { def l = ['a', 'b']; l.removeAll { it =~ /a/ }; l }
t('retainAll') { def l = ['a', 'b']; l.retainAll { it =~ /a/ }; l }
t('findIndexOf') { ['a', 'b'].findIndexOf { it =~ /b/ } }
t('findLastIndexOf') { ['a', 'b', 'b'].findLastIndexOf { it =~ /b/ } }
t('findIndexValues') { ['a', 'b', 'b'].findIndexValues { it =~ /b/ } }
t('split closure') { ['a', 'b'].split { it =~ /b/ } }
t('map findAll') { [a: 'x1', b: 'y'].findAll { k, v -> v =~ /\d/ } }
t('count closure') { ['a1', 'b'].count { it =~ /\d/ } }
t('groupBy') { ['a1', 'b'].groupBy { (it =~ /\d/) ? 1 : 0 } }
t('ternary') { 'x' =~ /y/ ? 1 : 2 }
t('not find') { !('x' =~ /y/) }
t('assert') { assert 'x' =~ /x/; 'ok' }
t('as boolean') { ('x' =~ /x/) as boolean }
t('boolean b =') { boolean b = 'x' =~ /y/; b }
t('find it') { ['a', 'b'].find { !(it =~ /a/) } }
t('matcher == ') { ('x' =~ /x/).equals('x') }
t('inspect pattern') { [~/a/].toString() }
