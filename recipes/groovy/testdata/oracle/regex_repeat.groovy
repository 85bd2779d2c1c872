def patterns = [
    '(?<q>[\'"]).*?\\k<q>', '(a)(b)?\\2', 'a*+a', 'a++b', 'a?+a', '(a|ab)*+c', 'x{2,3}+x', '(?:a|ab){2}+c', '[^b]*+b', '(a+)++b', '(a*)*', '(a*)+',
    '(a|b*)*', '(a*)*b', '(|a)+', '(|a){2}', '(a?){3}', '(a|){2,4}b', '(?:a?)*?b', '(a*?)*?b', '(?:a|b)+', '(a|b)*?c', '((a)|b)*', '(?:(a)|(b))*',
    '((a)|(b))+c?', '(a(b)?)+', '(a(b)?){2}', '(ab?)*', '(ab?){2,}', '(ab){2}', '(ab){1,2}?', '(a){0}b', '(?:ab){0,1}', '(a{2}){2}', '((.))*c',
    '(?:x(y))*z', '(a+)+$', '(a|a)*b', '(a*?)(a*)', '(a??)(a*)', '(a+?)(b*)', '^(a|b)*$', '(^a)*', '(foo|foobar)(bar)?', '()*', '(a|b|c)(?:d|e)?',
    '[+-]?\\d+(\\.\\d+)?', '^\\s*(\\w+)\\s*=\\s*(.*?)\\s*$',
]
def inputs = ['', 'a', 'aa', 'ab', 'aab', 'abab', 'abcabc', 'aaab', 'bbb', 'xyxyz', '+1.5 -2', 'aabaabc', 'foobarbar', 'a,b,,c']
def show = { it == null ? 'null' : it.toString().replace('\\', '\\\\').replace('\n', '\\n').replace('\r', '\\r') }
for (p in patterns) {
    println show(p)
    def re = java.util.regex.Pattern.compile(p)
    for (s in inputs) {
        def m = re.matcher(s), line = new StringBuilder()
        while (m.find()) {
            line << ' ' << m.start() << '-' << m.end()
            for (int i = 1; i <= m.groupCount(); i++) line << ',' << show(m.group(i)) << '@' << m.start(i)
        }
        if (!line) continue
        if (s ==~ p) line << ' all'
        if (re.matcher(s).lookingAt()) line << ' begins'
        println "  ${show(s)}:${line} | ${show(s.replaceAll(p, '-'))} | ${s.split(p, -1).collect { show(it) }}"
    }
}
