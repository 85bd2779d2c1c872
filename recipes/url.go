package recipes

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"

	"appliance/recipes/groovy"
)

// urlObject is a java.net.URL, and a URI.
type urlObject struct {
	f   *folder
	u   *url.URL
	raw string
	uri bool // null stands for what it lacks, and its path is decoded
}

// newURL is new URL(text), new URL(base, text) and new URL(protocol, host, port, file).
func (f *folder) newURL(_ *groovy.Thread, args []groovy.Value) (groovy.Value, error) {
	var raw string
	switch len(args) {
	case 1:
		raw = groovy.Format(args[0])
	case 2:
		base, err := url.Parse(groovy.Format(args[0]))
		if err != nil {
			return nil, groovy.Throw("MalformedURLException", "%v", err)
		}
		ref, err := url.Parse(groovy.Format(args[1]))
		if err != nil {
			return nil, groovy.Throw("MalformedURLException", "%v", err)
		}
		raw = base.ResolveReference(ref).String()
	case 3:
		raw = fmt.Sprintf("%s://%s%s", groovy.Format(args[0]), groovy.Format(args[1]), groovy.Format(args[2]))
	case 4:
		raw = fmt.Sprintf("%s://%s:%s%s", groovy.Format(args[0]), groovy.Format(args[1]), groovy.Format(args[2]), groovy.Format(args[3]))
	default:
		return nil, groovy.Throw("MalformedURLException", "URL takes a text, or a base and a text, or protocol, host, port and file")
	}
	u, err := url.Parse(raw)
	if err != nil || u.Scheme == "" {
		return nil, groovy.Throw("MalformedURLException", "no protocol: %s", raw)
	}
	if !strings.Contains(" http https file jar ftp mailto jmod jrt ", " "+u.Scheme+" ") {
		return nil, groovy.Throw("MalformedURLException", "unknown protocol: %s", u.Scheme)
	}
	return &urlObject{f: f, u: u, raw: raw}, nil
}

// Type names the class; String is the text.
func (o *urlObject) Type() string   { return "java.net.URL" }
func (o *urlObject) String() string { return o.raw }

// Key makes equal URLs equal.
func (o *urlObject) Key() string { return o.raw }

// Get reads a property.
func (o *urlObject) Get(t *groovy.Thread, id string) (groovy.Value, error) {
	null := func(s string) groovy.Value {
		if s == "" {
			return nil
		}
		return s
	}
	switch id {
	case "protocol":
		return o.u.Scheme, nil
	case "scheme":
		return null(o.u.Scheme), nil
	case "host":
		if o.uri {
			return null(o.u.Hostname()), nil
		}
		return o.u.Hostname(), nil
	case "port":
		if n, err := strconv.ParseInt(o.u.Port(), 10, 32); err == nil {
			return n, nil
		}
		return int64(-1), nil
	case "defaultPort":
		return map[string]int64{"http": 80, "https": 443, "ftp": 21}[o.u.Scheme], nil
	case "path":
		if o.uri && o.u.Opaque != "" {
			return nil, nil
		} else if o.uri {
			return o.u.Path, nil
		}
		return first(o.u.RawPath, o.u.EscapedPath()), nil
	case "query":
		return null(o.u.RawQuery), nil
	case "ref", "fragment":
		return null(o.u.Fragment), nil
	case "userInfo":
		return null(o.u.User.String()), nil
	case "authority":
		if user := o.u.User.String(); user != "" {
			return user + "@" + o.u.Host, nil
		}
		return null(o.u.Host), nil
	case "file":
		file := first(o.u.RawPath, o.u.EscapedPath())
		if o.u.RawQuery != "" {
			file += "?" + o.u.RawQuery
		}
		return file, nil
	case "text":
		return o.open().Get(t, "text")
	case "bytes":
		return o.open().Get(t, "bytes")
	}
	return nil, groovy.ErrNoMember
}

// Set refuses.
func (o *urlObject) Set(*groovy.Thread, string, groovy.Value) error { return groovy.ErrNoMember }

// open is a stream of what the URL names, which is asked for at its first use.
func (o *urlObject) open() *input { return newURLConnection(o).body() }

// Call calls a method.
func (o *urlObject) Call(t *groovy.Thread, id string, args []groovy.Value) (groovy.Value, error) {
	switch id {
	case "openConnection":
		return newURLConnection(o), nil
	case "openStream", "newInputStream":
		return o.open(), nil
	case "toURL":
		return o.f.newURL(t, []groovy.Value{o.raw})
	case "toURI":
		return o.f.newURI(t, []groovy.Value{o.raw})
	case "normalize":
		return o, nil
	case "toString", "toExternalForm", "toASCIIString":
		return o.raw, nil
	case "resolve":
		return o.f.newURL(t, append([]groovy.Value{o}, args...))
	case "getText", "getBytes", "withReader", "withInputStream", "newReader", "eachLine", "eachByte", "readLines", "splitEachLine", "filterLine":
		c := newURLConnection(o)
		rest := args
		if len(args) > 0 {
			if m, ok := args[0].(*groovy.Map); ok { // connectTimeout: 1000, requestProperties: [...]
				rest = args[1:]
				for _, k := range m.Keys() {
					v, _ := m.Get(k)
					if err := c.Set(t, groovy.Format(k), v); err != nil && !errors.Is(err, groovy.ErrNoMember) {
						return nil, err
					}
				}
			}
		}
		return c.body().Call(t, id, rest)
	}
	return nil, groovy.ErrNoMember
}

// urlConnection is a java.net.HttpURLConnection: what is to be asked, then the
// answer.
type urlConnection struct {
	o        *urlObject
	method   string
	header   http.Header
	out      strings.Builder
	wait     time.Duration // for the connection and each answer
	redirect bool
	asked    bool
	resp     *http.Response // with its body read
	answer   string
	err      error
}

func newURLConnection(o *urlObject) *urlConnection {
	return &urlConnection{o: o, header: http.Header{}, redirect: true}
}

// Type names the class.
func (*urlConnection) Type() string { return "java.net.HttpURLConnection" }

// body is the stream of the answer; a status from 400 is an IOException.
func (c *urlConnection) body() *input {
	s := newStream()
	s.first = func(t *groovy.Thread) error {
		if err := c.ask(t); err != nil {
			return err
		}
		if c.resp != nil && c.resp.StatusCode >= 400 {
			return c.status()
		}
		s.data, s.ended = []byte(c.answer), true
		return nil
	}
	return bytesOf(s)
}

func (c *urlConnection) status() error {
	if c.resp.StatusCode == http.StatusNotFound || c.resp.StatusCode == http.StatusGone {
		return groovy.Throw("FileNotFoundException", "%s", c.o.raw)
	}
	return groovy.Throw("IOException", "Server returned HTTP response code: %d for URL: %s", c.resp.StatusCode, c.o.raw)
}

// ask sends the request once.
func (c *urlConnection) ask(t *groovy.Thread) error {
	if c.o.f.checking() {
		return groovy.Throw("SecurityException", "%s is not asked while a recipe is checked", c.o.raw)
	}
	if c.asked {
		return c.err
	}
	c.asked = true
	c.err = c.fetch(t)
	if c.err == nil {
		c.err = t.Alloc(len(c.answer))
	}
	return c.err
}

// maxAnswer is how much of an answer a script reads; files are fetched by get.
const maxAnswer = 16 << 20

func (c *urlConnection) fetch(t *groovy.Thread) error {
	if c.o.u.Scheme == "file" {
		return c.file()
	}
	if c.o.u.Scheme != "http" && c.o.u.Scheme != "https" {
		return groovy.Throw("MalformedURLException", "unknown protocol: %s", c.o.u.Scheme)
	}
	ctx := t.Context()
	if c.wait > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, c.wait)
		defer cancel()
	}
	method := c.method
	var body io.Reader
	if c.out.Len() > 0 {
		body = strings.NewReader(c.out.String())
		method = first(method, "POST")
		if c.header.Get("Content-Type") == "" {
			c.header.Set("Content-Type", "application/x-www-form-urlencoded")
		}
	}
	req, err := http.NewRequestWithContext(ctx, first(method, "GET"), c.o.raw, body)
	if err != nil {
		return groovy.Throw("MalformedURLException", "%v", err)
	}
	req.Header = c.header
	client := http.Client{}
	if !c.redirect {
		client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	}
	resp, err := client.Do(req)
	if err != nil {
		return c.fault(t, err)
	}
	b, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	if err = errors.Join(err, resp.Body.Close()); err != nil {
		return c.fault(t, err)
	}
	if len(b) > maxAnswer {
		return groovy.Throw("IOException", "the answer of %s has more than %d bytes", c.o.raw, maxAnswer)
	}
	c.resp, c.answer = resp, string(b)
	return nil
}

func (c *urlConnection) file() error {
	b, err := os.ReadFile(c.o.u.Path)
	if errors.Is(err, os.ErrNotExist) {
		return groovy.Throw("FileNotFoundException", "%s (No such file or directory)", c.o.u.Path)
	}
	if err != nil {
		return err
	}
	c.answer = string(b)
	return nil
}

// fault is a network's error as Java's.
func (c *urlConnection) fault(t *groovy.Thread, err error) error {
	if t.Context().Err() != nil {
		return t.Context().Err()
	}
	switch text := err.Error(); {
	case errors.Is(err, context.DeadlineExceeded):
		return groovy.Throw("SocketTimeoutException", "%v", err)
	case errors.Is(err, syscall.ECONNREFUSED):
		return groovy.Throw("ConnectException", "Connection refused")
	case errors.Is(err, syscall.ENETUNREACH):
		return groovy.Throw("ConnectException", "Network is unreachable")
	case errors.Is(err, syscall.EHOSTUNREACH):
		return groovy.Throw("NoRouteToHostException", "No route to host")
	case strings.Contains(text, "no such host"):
		return groovy.Throw("UnknownHostException", "%s", c.o.u.Hostname())
	}
	return groovy.Throw("IOException", "%v", err)
}

// Get reads a property; those of the answer ask for it.
func (c *urlConnection) Get(t *groovy.Thread, id string) (groovy.Value, error) {
	switch id {
	case "inputStream", "content":
		if err := c.ask(t); err != nil {
			return nil, err
		}
		return c.body(), nil
	case "outputStream":
		return outputTo(noClose{&c.out}), nil
	case "requestMethod":
		return first(c.method, "GET"), nil
	case "URL", "url":
		return c.o, nil
	case "connectTimeout", "readTimeout":
		return c.wait.Milliseconds(), nil
	case "responseCode", "responseMessage", "errorStream", "contentType", "contentLength", "headerFields":
	default:
		return nil, groovy.ErrNoMember
	}
	if err := c.ask(t); err != nil {
		return nil, err
	}
	if c.resp == nil {
		return nil, groovy.ErrNoMember // of a file
	}
	switch id {
	case "responseCode":
		return int64(c.resp.StatusCode), nil
	case "responseMessage":
		return strings.TrimSpace(strings.TrimPrefix(c.resp.Status, strconv.Itoa(c.resp.StatusCode))), nil
	case "errorStream":
		if c.resp.StatusCode < 400 {
			return nil, nil
		}
		return bytesOf(textStream(c.answer)), nil
	case "contentType":
		return c.resp.Header.Get("Content-Type"), nil
	case "contentLength":
		return int64(len(c.answer)), nil
	}
	m := groovy.NewMap()
	for k, list := range c.resp.Header {
		l := groovy.NewList()
		for _, v := range list {
			l.Elems = append(l.Elems, v)
		}
		m.Put(k, l)
	}
	return m, nil
}

// Set sets what is to be asked.
func (c *urlConnection) Set(_ *groovy.Thread, id string, v groovy.Value) error {
	switch id {
	case "requestMethod":
		c.method = groovy.Format(v)
	case "connectTimeout", "readTimeout":
		ms, _ := groovy.Int(v)
		c.wait = max(c.wait, time.Duration(min(max(ms, 0), 86400_000))*time.Millisecond)
	case "instanceFollowRedirects", "followRedirects":
		c.redirect = groovy.Truth(v)
	case "requestProperties":
		if m, ok := v.(*groovy.Map); ok {
			for _, k := range m.Keys() {
				x, _ := m.Get(k)
				c.header.Set(groovy.Format(k), groovy.Format(x))
			}
		}
	case "doOutput", "doInput", "useCaches", "allowUserInteraction", "defaultUseCaches":
	default:
		return groovy.ErrNoMember
	}
	return nil
}

// Call calls a method.
func (c *urlConnection) Call(t *groovy.Thread, id string, args []groovy.Value) (groovy.Value, error) {
	switch {
	case id == "connect":
		return nil, c.ask(t)
	case id == "disconnect":
		return nil, nil
	case (id == "setRequestProperty" || id == "addRequestProperty") && len(args) == 2:
		c.header.Add(groovy.Format(args[0]), groovy.Format(args[1]))
		return nil, nil
	case id == "getHeaderField" && len(args) == 1:
		if err := c.ask(t); err != nil {
			return nil, err
		}
		if v := c.resp.Header.Get(groovy.Format(args[0])); v != "" {
			return v, nil
		}
		return nil, nil
	}
	return nil, groovy.ErrNoMember
}
