"""One page: the notes, and a line to add one. The same as JSON for programs."""

import os

from django.http import HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from notes.models import Note


def page(request):
    if request.method == "POST":
        Note.objects.create(text=request.POST["text"])
        return redirect("page")
    version = os.environ.get("RELEASE_VERSION", "development")
    return render(request, "notes/page.html", {"notes": Note.objects.all(), "version": version})


@csrf_exempt
@require_http_methods(["GET", "POST"])
def api(request):
    if request.method == "POST":
        note = Note.objects.create(text=request.body.decode())
        return JsonResponse({"id": note.pk, "text": note.text}, status=201)
    version = os.environ.get("RELEASE_VERSION")
    notes = list(Note.objects.values_list("text", flat=True))
    return JsonResponse({"release": version, "notes": notes})


def health(request):
    return HttpResponse("ok\n", content_type="text/plain")
