package cloud

import "net/http"

// Objects is what the object stores of all clouds have in common.
type Objects interface {
	// CreateBucket creates a bucket, or accepts that it is there.
	CreateBucket(bucket string) error
	// Put stores an object in one request.
	Put(bucket, key string, body []byte) error
	// Get reads an object whole.
	Get(bucket, key string) ([]byte, error)
	// Head returns an object's headers, or nil when there is none.
	Head(bucket, key string) (http.Header, error)
	// Exists tells whether an object is visible.
	Exists(bucket, key string) (bool, error)
}
