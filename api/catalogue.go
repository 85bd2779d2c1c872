package api

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"

	"github.com/danielgtaylor/huma/v2"

	"appliance/pool"
)

// upload is a body that the handler reads itself.
type upload struct{ ctx huma.Context }

// Resolve keeps the context, which has the body.
func (u *upload) Resolve(ctx huma.Context) []error {
	u.ctx = ctx
	return nil
}

// body returns the body as it comes; a sender that pauses too long is cut off.
func (u *upload) body() io.Reader {
	c := unwrap(u.ctx)
	return slow{c.Request().Body, http.NewResponseController(c.Response().Writer)}
}

type imageUpload struct {
	Name string `path:"name" maxLength:"128"`
	upload
}

type templatePut struct {
	Name string `path:"name" maxLength:"128"`
	Body pool.Template
}

// binary describes a body of bytes.
func binary(kind string) *huma.RequestBody {
	return &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{
		kind: {Schema: &huma.Schema{Type: huma.TypeString, Format: "binary"}},
	}}
}

func (s *Server) catalogueRoutes(a huma.API) {
	const tag = "Catalogue"
	handle(s, a, endpoint{http.MethodGet, "/recipes", "recipes", "List recipes", tag, pool.Viewer, 0},
		func(ctx context.Context, _ *nothing) ([]pool.RecipeInfo, error) {
			all, err := list(s.Store.Recipes(ctx))
			return slices.DeleteFunc(all, func(r pool.RecipeInfo) bool { return r.Application != "" }), err
		})
	handle(s, a, endpoint{http.MethodGet, "/recipes/{name}", "recipe", "One recipe, by name or digest", tag, pool.Viewer, 0},
		func(ctx context.Context, in *named) (pool.RecipeInfo, error) {
			if len(in.Name) > 7 && in.Name[:7] == "sha256:" {
				return s.recipe(ctx, "", in.Name)
			}
			return s.recipe(ctx, in.Name, "")
		})
	up := endpoint{http.MethodPost, "/recipes", "uploadRecipe", "Upload a recipe (tar.gz of its folder)", tag, pool.Operator, http.StatusCreated}
	op := s.operation(a, up)
	op.RequestBody = binary("application/gzip")
	huma.Register(a, op, func(ctx context.Context, in *upload) (*answer[pool.RecipeInfo], error) {
		if n := unwrap(in.ctx).Request().ContentLength; n > recipeBody {
			return nil, s.problem(ctx, up, &http.MaxBytesError{Limit: recipeBody})
		}
		r, err := s.uploadRecipe(ctx, in.body())
		if err != nil {
			return nil, s.problem(ctx, up, err)
		}
		return &answer[pool.RecipeInfo]{r}, nil
	})
	handle(s, a, endpoint{http.MethodGet, "/templates", "templates", "List templates", tag, pool.Viewer, 0},
		func(ctx context.Context, _ *nothing) ([]pool.Template, error) { return list(s.Store.Templates(ctx)) })
	handle(s, a, endpoint{http.MethodGet, "/templates/{name}", "template", "One template", tag, pool.Viewer, 0},
		func(ctx context.Context, in *named) (pool.Template, error) { return s.Store.Template(ctx, in.Name) })
	handle(s, a, endpoint{http.MethodPut, "/templates/{name}", "putTemplate", "Make or change a template", tag, pool.Operator, 0},
		func(ctx context.Context, in *templatePut) (pool.Template, error) {
			if in.Body.Name != in.Name {
				return pool.Template{}, fmt.Errorf("%w: template is called %q here and %q in the path", pool.ErrInvalid, in.Body.Name, in.Name)
			}
			if err := in.Body.Check(); err != nil {
				return pool.Template{}, err
			}
			return in.Body, s.recordWith(ctx, pool.Event{Type: "template.changed", Message: fmt.Sprintf("Template %s was set.", in.Name)},
				&pool.Change{Templates: []*pool.Template{&in.Body}})
		})
	s.imageRoutes(a, tag)
}

func (s *Server) imageRoutes(a huma.API, tag string) {
	handle(s, a, endpoint{http.MethodGet, "/images", "images", "List images", tag, pool.Viewer, 0},
		func(ctx context.Context, _ *nothing) ([]pool.Image, error) {
			all, err := list(s.Store.Images(ctx))
			for i := range all {
				all[i].Frames = nil
			}
			return all, err
		})
	put := endpoint{http.MethodPut, "/images/{name}", "uploadImage", "Import a raw disk image", tag, pool.Admin, http.StatusCreated}
	op := s.operation(a, put)
	op.RequestBody = binary("application/octet-stream")
	huma.Register(a, op, func(ctx context.Context, in *imageUpload) (*answer[pool.Image], error) {
		im, err := s.uploadImage(ctx, in.Name, in.body())
		if err != nil {
			return nil, s.problem(ctx, put, err)
		}
		return &answer[pool.Image]{im}, nil
	})
	do(s, a, endpoint{http.MethodDelete, "/images/{name}", "deleteImage", "Delete an image", tag, pool.Admin, 0},
		func(ctx context.Context, in *named) error {
			if s.Images == nil {
				return fmt.Errorf("%w: image %s", pool.ErrNotFound, in.Name)
			}
			if err := s.Images.Delete(in.Name, func() error { return s.Store.DeleteImage(ctx, in.Name) }); err != nil {
				return err
			}
			return s.record(ctx, pool.Event{Type: "image.deleted", Message: fmt.Sprintf("Image %s was deleted.", in.Name)})
		})
}

func (s *Server) uploadRecipe(ctx context.Context, body io.Reader) (pool.RecipeInfo, error) {
	if s.CheckRecipe == nil {
		return pool.RecipeInfo{}, fmt.Errorf("%w: this appliance takes no recipes", pool.ErrUnavailable)
	}
	b, err := io.ReadAll(http.MaxBytesReader(nil, io.NopCloser(body), recipeBody))
	if err != nil {
		if _, big := errors.AsType[*http.MaxBytesError](err); big {
			return pool.RecipeInfo{}, err
		}
		return pool.RecipeInfo{}, fmt.Errorf("%w: read recipe: %v", pool.ErrInvalid, err)
	}
	packed, err := s.CheckRecipe(ctx, b)
	if err != nil {
		return pool.RecipeInfo{}, err
	}
	info := packed[0].Info
	all, err := s.Store.Recipes(ctx)
	if err != nil {
		return pool.RecipeInfo{}, err
	}
	for _, r := range all {
		if r.Digest == info.Digest {
			return r, nil // it is there already, perhaps shipped
		}
	}
	for _, p := range slices.Backward(packed) { // an application that is listed has its services
		p.Info.Shipped = false
		if err := s.Store.PutRecipe(ctx, p.Info, p.Archive); err != nil {
			return pool.RecipeInfo{}, err
		}
	}
	return info, s.record(ctx, pool.Event{Type: "recipe.uploaded", Message: fmt.Sprintf("Recipe %s was uploaded.", info.Name)})
}

func (s *Server) uploadImage(ctx context.Context, name string, body io.Reader) (pool.Image, error) {
	if s.Images == nil {
		return pool.Image{}, fmt.Errorf("%w: this appliance keeps no images", pool.ErrUnavailable)
	}
	im, err := s.Images.Import(ctx, name, body, nil, func(im pool.Image) error { return s.Store.PutImage(ctx, im) })
	if err != nil {
		return pool.Image{}, err
	}
	err = s.record(ctx, pool.Event{Type: "image.imported",
		Message: fmt.Sprintf("Image %s was imported: a disk of %s in %s.", name, pool.Bytes(uint64(im.Size)), pool.Bytes(uint64(im.Stored)))})
	im.Frames = nil
	return im, err
}
