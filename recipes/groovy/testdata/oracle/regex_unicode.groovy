// Which characters a class has.
def props = ['L','Lu','Ll','Lt','Lm','Lo','M','Mn','Mc','Me','N','Nd','Nl','No','P','Pc','Pd','Ps','Pe','Pi','Pf','Po','S','Sm','Sc','Sk','So','Z','Zs','Zl','Zp','C','Cc','Cf','Co','Cn','LC','LD','L1','all','ASCII','Alnum','Alpha','Blank','Cntrl','Digit','Graph','Lower','Print','Punct','Space','Upper','XDigit',
 'javaLowerCase','javaUpperCase','javaAlphabetic','javaIdeographic','javaTitleCase','javaDigit','javaDefined','javaLetter','javaLetterOrDigit','javaJavaIdentifierStart','javaJavaIdentifierPart','javaUnicodeIdentifierStart','javaUnicodeIdentifierPart','javaIdentifierIgnorable','javaSpaceChar','javaWhitespace','javaISOControl',
 'IsAlphabetic','IsLetter','IsIdeographic','IsLowercase','IsUppercase','IsTitlecase','IsWhite_Space','IsControl','IsPunctuation','IsHex_Digit','IsAssigned','IsNoncharacter_Code_Point','IsDigit','IsAlnum','IsBlank','IsGraph','IsPrint','IsWord','IsJoin_Control','IsLatin','IsGreek','IsCyrillic','IsHan','IsCommon','IsL','IsLu','InGreek','InBasicLatin','InBasic_Latin','InLatin-1Supplement','InCyrillic','InHiragana','InArrows','sc=Latin','script=Greek','blk=Cyrillic','gc=Lu','general_category=Nd','IsLatn','IsAlpha','Isalphabetic','Islatin','L&','Foo','alpha','IsCased','Latin','IsLower','IsUpper','IsSpace','IsPunct','IsXDigit','IsCntrl','IsXdigit','IsASCII','IsGrek','IsCyrl','IsHani','IsZyyy','IsLatin1','IsTitle','IsAny','IsAll','IsL1','IsjavaLetter','IsWhiteSpace','IsHexDigit','IsJoinControl','IsNoncharacterCodePoint','sc=Latn','IsLC','IsLetter_Digit', 'InGreekandCoptic','InGreek and Coptic']
def pats = ['\\w','\\W','\\d','\\D','\\s','\\S','\\h','\\H','\\v','\\V','.','\\R','[^a-c]','[a-c]','é','[à-é]','[^à-é]','ß','ſ','k','[k]','[a-k]','µ','Å','[^k]','σ','[α-ω]','I','i','[i]','ı','İ','ǆ','ÿ','\\p{Lower}','\\p{Upper}','\\p{Lu}','\\p{Ll}','\\p{Lt}','\\p{IsLowercase}','\\p{javaUpperCase}','\\p{Alpha}','\\p{Punct}','\\p{Space}','\\p{Cntrl}','\\p{Graph}','\\p{Print}','\\p{XDigit}','\\p{Digit}','\\p{Alnum}','\\p{Blank}','\\p{ASCII}', '\\b.', '.\\b', '[K-S]', '[^K-S]']
def chars = (0..0x100) + [0x130, 0x131, 0x149, 0x178, 0x17f, 0x1c4, 0x1c5, 0x1c6, 0x2b0, 0x300, 0x345] + (0x391..0x3c9) + [0x3f4, 0x410, 0x430, 0x5d0, 0x660, 0x903, 0x1680, 0x180e, 0x1e9e, 0x2000, 0x2007, 0x200c, 0x200e, 0x2010, 0x2018, 0x2028, 0x2029, 0x202f, 0x203f, 0x2044, 0x20ac, 0x2118, 0x2126, 0x212a, 0x212b, 0x2160, 0x2190, 0x24b6, 0x2603, 0x3000, 0x3007, 0x3042, 0x4e00, 0xac00, 0xe000, 0xfb01, 0xfdd0, 0xfeff, 0xff10, 0xff21, 0x0378]
def ranges = { list -> def out = []; def from = null, last = null; for (c in list) { if (last != null && c == last + 1) { last = c; continue }; if (from != null) out << (from == last ? Integer.toHexString(from) : Integer.toHexString(from) + '-' + Integer.toHexString(last)); from = c; last = c }; if (from != null) out << Integer.toHexString(from) + '-' + Integer.toHexString(last); out.join(' ') }
def texts = chars.collect { String.valueOf((char) it) }
def probe = { String p, int flags ->
  def re
  try { re = java.util.regex.Pattern.compile(p, flags) } catch (e) { println "$p ! " + e.message.replace('\n', '|'); return }
  def hit = []
  chars.eachWithIndex { c, i -> if (re.matcher(texts[i]).matches()) hit << c }
  println "$p $flags: ${ranges(hit)}"
}
for (n in props) probe('\\p{' + n + '}', 0)
for (n in ['Lower','Lu','Lt','IsLowercase','IsTitlecase','javaTitleCase','javaLowerCase','L']) probe('\\p{' + n + '}', 2)
for (f in [0, 2, 64, 66, 256, 258]) for (p in pats) probe(p, f)
