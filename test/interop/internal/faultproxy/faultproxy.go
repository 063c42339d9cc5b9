// Package faultproxy stands between a plugin and a server and spoils answers or requests on the way.
package faultproxy

import (
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"sync/atomic"
)

// Kind is what goes wrong.
type Kind string

const (
	// FlipAnswer inverts one bit of the answer's body, at Rule.After.
	FlipAnswer Kind = "flip-answer"
	// CutAnswer drops the connection once Rule.After bytes of the answer's body went by.
	CutAnswer Kind = "cut-answer"
	// CutRequest drops the connection once Rule.After bytes of the request's body went by.
	CutRequest Kind = "cut-request"
	// Refuse answers 503 SlowDown instead of asking the server.
	Refuse Kind = "refuse"
)

// Rule says which requests are spoiled and how.
type Rule struct {
	Kind Kind
	// Method is the one whose requests are meant; empty means every upload of more than After bytes.
	Method string
	// After counts bytes of the body; a shorter body is left alone and does not count as spoiled.
	After int64
	// Times is how many requests are spoiled; 0 means every one.
	Times int64
	// ForOwnHost asks the server in its own name, where it routes by that, instead of in the proxy's.
	ForOwnHost bool
}

// Proxy is a running proxy.
type Proxy struct {
	URL     string
	server  *httptest.Server
	spoiled atomic.Int64
}

// Spoiled tells how many requests or answers were spoiled so far.
func (p *Proxy) Spoiled() int64 { return p.spoiled.Load() }

// Close stops the proxy and drops its connections.
func (p *Proxy) Close() {
	p.server.CloseClientConnections()
	p.server.Close()
}

// Start listens on a loopback port.
func Start(target string, rule Rule) (*Proxy, error) {
	address, err := url.Parse(target)
	if err != nil {
		return nil, err
	}
	proxy := &Proxy{}
	forward := &httputil.ReverseProxy{
		Transport: &http.Transport{DisableCompression: true},
		// What it would report are the faults that were asked for.
		ErrorLog: log.New(io.Discard, "", 0),
		Rewrite: func(request *httputil.ProxyRequest) {
			request.SetURL(address)
			if !rule.ForOwnHost {
				// The signature covers the host that the client addressed.
				request.Out.Host = request.In.Host
			}
		},
		ModifyResponse: func(response *http.Response) error {
			kind := rule.Kind
			if response.Request.Method == rule.Method && (kind == FlipAnswer || kind == CutAnswer) {
				response.Body = &spoiler{source: response.Body, rule: rule, proxy: proxy}
			}
			return nil
		},
		ErrorHandler: func(http.ResponseWriter, *http.Request, error) { panic(http.ErrAbortHandler) },
	}
	proxy.server = httptest.NewServer(http.HandlerFunc(func(writer http.ResponseWriter, request *http.Request) {
		if rule.concerns(request) {
			switch rule.Kind {
			case Refuse:
				if proxy.claim(rule) {
					refuse(writer)
					return
				}
			case CutRequest:
				request.Body = &spoiler{source: request.Body, rule: rule, proxy: proxy}
			}
		}
		forward.ServeHTTP(writer, request)
	}))
	proxy.URL = proxy.server.URL
	return proxy, nil
}

func (r Rule) concerns(request *http.Request) bool {
	if r.Method == "" {
		return request.ContentLength > r.After
	}
	return request.Method == r.Method
}

// claim takes one of the rule's times, if any is left.
func (p *Proxy) claim(rule Rule) bool {
	for {
		taken := p.spoiled.Load()
		if rule.Times > 0 && taken >= rule.Times {
			return false
		}
		if p.spoiled.CompareAndSwap(taken, taken+1) {
			return true
		}
	}
}

func refuse(writer http.ResponseWriter) {
	writer.Header().Set("Content-Type", "application/xml")
	writer.WriteHeader(http.StatusServiceUnavailable)
	_, _ = io.WriteString(writer, `<?xml version="1.0" encoding="UTF-8"?><Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>`)
}

var errCut = errors.New("connection cut on purpose")

// spoiler passes a body on until the rule's place.
type spoiler struct {
	source   io.ReadCloser
	rule     Rule
	proxy    *Proxy
	position int64
	done     bool
}

func (s *spoiler) Read(into []byte) (int, error) {
	n, err := s.source.Read(into)
	start := s.position
	s.position += int64(n)
	if s.done || s.position <= s.rule.After {
		return n, err
	}
	s.done = true
	if !s.proxy.claim(s.rule) {
		return n, err
	}
	if s.rule.Kind == FlipAnswer {
		into[s.rule.After-start] ^= 1
		return n, err
	}
	return int(s.rule.After - start), errCut
}

func (s *spoiler) Close() error { return s.source.Close() }
