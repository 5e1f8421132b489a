package main

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"os"
	"strings"

	"golang.org/x/net/idna"
)

// An emailHasher hashes the emails of guests with the key of the participants, which the operators of customer-service
// print with `deno task erasure participant-key`. Without a key there are no hashes, and guests are not found.
type emailHasher []byte

// readEmailKey reads the environment variable EMAIL_KEY, base64.
func readEmailKey() (emailHasher, error) {
	return base64.StdEncoding.DecodeString(os.Getenv("EMAIL_KEY"))
}

// hash returns 64 hexadecimal digits, to be stored next to the email in an indexed column; "" without a key.
func (key emailHasher) hash(email string) (string, error) {
	if len(key) == 0 {
		return "", nil
	}
	local, domain, _ := strings.Cut(email, "@")
	ascii, err := idna.Lookup.ToASCII(domain)
	if err != nil {
		return "", err
	}
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(strings.ToLower(local + "@" + ascii)))
	return hex.EncodeToString(mac.Sum(nil)), nil
}

// A person is the subject of a request: a customer, or a guest, whose rows only the hashes of the emails find.
type person struct {
	storeID, customerID string
	emailHashes         map[string]bool
}

// newPerson takes the hashes of a call or of an event.
func newPerson[Hash interface{ GetHash() string }](storeID, customerID string, hashes []Hash) person {
	found := person{storeID, customerID, map[string]bool{}}
	for _, hash := range hashes {
		found.emailHashes[hash.GetHash()] = true
	}
	return found
}
