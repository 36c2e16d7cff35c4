from django.urls import path

from notes import views

urlpatterns = [
    path("", views.page, name="page"),
    path("api/notes", views.api, name="api"),
    path("health", views.health, name="health"),
]
