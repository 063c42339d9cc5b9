package cloud

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/jwt"
)

const googleScope = "https://www.googleapis.com/auth/cloud-platform"

// Google is what all services of Google Cloud have in common: an origin and the service account that may use it.
type Google struct {
	endpoint string
	client   *http.Client
	tokens   oauth2.TokenSource
}

// newGoogle reads the key file of a service account.
func newGoogle(endpoint, keyFile string, client *http.Client) (Google, error) {
	var key struct {
		Email      string `json:"client_email"`
		PrivateKey string `json:"private_key"`
		KeyID      string `json:"private_key_id"`
		TokenURI   string `json:"token_uri"`
	}
	if err := json.Unmarshal([]byte(keyFile), &key); err != nil {
		return Google{}, fmt.Errorf("parse the key file: %w", err)
	}
	config := jwt.Config{
		Email: key.Email, PrivateKey: []byte(key.PrivateKey), PrivateKeyID: key.KeyID, TokenURL: key.TokenURI,
		Scopes: []string{googleScope},
	}
	return Google{endpoint: endpoint, client: client, tokens: config.TokenSource(context.Background())}, nil
}

func (g Google) send(method, path string, query url.Values, contentType string, body []byte) (Answer, error) {
	ctx, cancel := context.WithTimeout(context.Background(), requestTimeout)
	defer cancel()
	token, err := g.tokens.Token()
	if err != nil {
		return Answer{}, fmt.Errorf("ask for a token: %w", err)
	}
	request, err := http.NewRequestWithContext(ctx, method, g.endpoint+path+"?"+query.Encode(), bytes.NewReader(body))
	if err != nil {
		return Answer{}, err
	}
	token.SetAuthHeader(request)
	if contentType != "" {
		request.Header.Set("Content-Type", contentType)
	}
	answer, err := receive(g.client, request)
	if err != nil {
		return answer, fmt.Errorf("%s %s: %w", method, path, err)
	}
	return answer, nil
}

func (g Google) sendJSON(method, path string, query url.Values, body any) (Answer, error) {
	content, err := json.Marshal(body)
	if err != nil {
		return Answer{}, err
	}
	return g.send(method, path, query, "application/json", content)
}
