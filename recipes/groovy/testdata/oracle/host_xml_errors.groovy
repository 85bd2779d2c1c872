for (s in ['<a>', '<a></b>', '', 'x', '<a b=1/>', '<a>&foo;</a>', '<a b="1" b="2"/>', '<!DOCTYPE a><a/>', '<a/><b/>', '<a><b></a>', '<a x:b="1"/>', '<x:a/>', '<a>\n<b>\n</c></a>', '<a>&</a>', '<a <', '<a b="<"/>', '<1/>', '<a>]]></a>', '<a><!-- -- --></a>', '<a>\u0001</a>', '<a b="\u0001"/>', '<a><1/></a>', '<a>&#x1;</a>', '<a>&#zz;</a>', '<a>&amp</a>', '<a b/>', '<a b="1"c="2"/>', '<a/>x', '<a></a', '<a', '<a b="', '<a><![CDATA[x</a>', '<a><!-- x</a>', '<a><?x </a>', '<?xml version="1.0"', ' <?xml version="1.0"?><a/>', '<a xmlns:x="u" xmlns:y="u" x:b="1" y:b="2"/>', '</a>', '<>', '<a></ a>', '<a></a b>']) {
  for (p in [new XmlParser(), new XmlSlurper()]) {
  try { println p.parseText(s).getClass() } catch (Exception e) { println s.inspect() + ' ' + e }
  }
}
